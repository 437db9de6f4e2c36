//! The key that providers encrypt to is replaced, and nobody is locked out: a provider that has yesterday's metadata and one that has
//! today's sign people in on every node, at every step.

use certs::{PublicKey, xml_encryption::Encryption};
use tests::{
    browser::Form,
    federation::{Federation, Plan},
    person::Person,
    program,
    provider::published_encryption_key,
    walk::{Next, Walk},
};

/// A login on `node` that is at the provider, with the answer that a provider gives who has `key` from our metadata.
async fn answered<'f>(federation: &'f Federation, node: usize, key: &PublicKey) -> (Walk<'f>, Form) {
    let mut walk = Walk::new(federation, Person::asa());
    walk.until("assert", federation.nodes[node].port()).await;
    let asked = walk.asked.as_ref().expect("the provider was asked");
    let form = walk.provider.issue_encrypted(asked, &walk.answer(), key, Encryption::default());
    (walk, form)
}

/// Such a provider signs somebody in over every node.
async fn signs_in(federation: &Federation, key: &PublicKey) {
    for node in 0..federation.nodes.len() {
        let (mut walk, form) = answered(federation, node, key).await;
        walk.next = Next::Assert(form);
        let _ = walk.finish(federation.nodes[node].port()).await;
    }
}

/// Such a provider is refused by every node.
async fn is_refused(federation: &Federation, key: &PublicKey) {
    for node in 0..federation.nodes.len() {
        let (walk, form) = answered(federation, node, key).await;
        let port = federation.nodes[node].port();
        let sent = walk.browser.submit(port, &form).await;
        let (_, _, code) = federation.refused(&walk.browser, port, &sent).await;
        assert_eq!(code, "provider.undecryptable");
    }
}

async fn published(federation: &Federation, node: usize) -> PublicKey {
    let document = federation.document(federation.nodes[node].port(), "/saml/metadata").await;
    published_encryption_key(&document.text())
}

fn step(federation: &Federation, name: &str) {
    let said = program::run(federation.folder.path(), &["keys", "decryption", name, "keys"]);
    assert!(said.contains("saml-decryption.pem"), "{said}");
}

async fn start_again(federation: &mut Federation, node: usize) {
    federation.nodes[node].kill_hard();
    federation.restart(node).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_decryption_key_is_replaced_without_an_outage() {
    let mut federation = Federation::start(Plan { nodes: 2, notice: false, ..Plan::default() }).await;
    let old = published(&federation, 0).await;
    signs_in(&federation, &old).await;

    // Nodes share the directory here; one is started again before the other, as in a rolling restart.
    step(&federation, "make");
    for node in [0, 1] {
        start_again(&mut federation, node).await;
        assert_eq!(published(&federation, node).await, old, "the next key is not published yet");
        signs_in(&federation, &old).await;
    }

    step(&federation, "publish");
    let _ = federation.command(&["keys", "accept"]);
    start_again(&mut federation, 0).await;
    let new = published(&federation, 0).await;
    assert_ne!(new, old);
    assert_eq!(published(&federation, 1).await, old, "the other node has not been started again");
    // Both nodes have both keys.
    for key in [&old, &new] {
        signs_in(&federation, key).await;
    }
    start_again(&mut federation, 1).await;
    for key in [&old, &new] {
        signs_in(&federation, key).await;
    }

    step(&federation, "drop");
    start_again(&mut federation, 0).await;
    start_again(&mut federation, 1).await;
    signs_in(&federation, &new).await;
    is_refused(&federation, &old).await;
}
