//! What the public-key operations of a login cost on this machine: signing and verifying, with keys parsed once.

use std::hint::black_box;

use certs::{
    Jwk, JwkSet, PrivateKey, SignatureAlgorithm, Signer as _,
    jws::{self, Expectation, ExpectedType},
};
use criterion::{Criterion, criterion_group, criterion_main};

const MESSAGE: &[u8] = &[b'm'; 1024];

fn keys(criterion: &mut Criterion) {
    let made = [
        ("RS256", PrivateKey::generate_rsa(2048, SignatureAlgorithm::RsaSha256).expect("generated")),
        ("ES256", PrivateKey::generate_p256().expect("generated")),
    ];
    for (name, key) in &made {
        let signature = key.sign(MESSAGE).expect("signed");
        criterion.bench_function(&format!("{name} sign"), |bench| {
            bench.iter(|| key.sign(black_box(MESSAGE)));
        });
        criterion.bench_function(&format!("{name} verify"), |bench| {
            bench
                .iter(|| key.public_key().verify(key.algorithm(), black_box(MESSAGE), black_box(&signature)));
        });
        let token = jws::sign_compact(key, Some("JWT"), MESSAGE).expect("signed");
        let set = JwkSet::new(vec![Jwk::of(key)]);
        criterion.bench_function(&format!("{name} token sign"), |bench| {
            bench.iter(|| jws::sign_compact(key, Some("JWT"), black_box(MESSAGE)));
        });
        criterion.bench_function(&format!("{name} token verify"), |bench| {
            let algorithms = [key.algorithm()];
            bench.iter(|| {
                let expectation =
                    Expectation { algorithms: &algorithms, token_type: ExpectedType::AbsentOr("JWT") };
                jws::verify_compact(black_box(&token), &set, expectation).is_ok()
            });
        });
    }
}

criterion_group!(benches, keys);
criterion_main!(benches);
