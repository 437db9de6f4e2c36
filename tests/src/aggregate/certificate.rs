//! Certificates of RSA keys with 2048 bits, as DER (RFC 5280 section 4.1), without making keys: thousands are made in a moment, and the same
//! for the same numbers. Nobody has the private key, nor does one exist, and the signature inside is noise: in metadata a certificate is
//! only what a key comes in.

use super::Numbers;

const SHA256_WITH_RSA: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x0B];
const RSA: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01];
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];

/// A certificate for `name`, valid from 2024 to 2044.
pub(super) fn certificate(name: &str, numbers: &mut Numbers) -> Vec<u8> {
    let mut modulus = numbers.octets(256);
    // As long as it says, and odd, as the product of two primes is.
    modulus[0] |= 0x80;
    modulus[255] |= 1;
    let mut serial = numbers.octets(8);
    serial[0] = (serial[0] & 0x7F) | 1;
    let noise = numbers.octets(256);
    let algorithm = |identifier| sequence(&[tagged(0x06, identifier), tagged(0x05, &[])]);
    let attribute = sequence(&[tagged(0x06, COMMON_NAME), tagged(0x0C, name.as_bytes())]);
    let subject = sequence(&[tagged(0x31, &attribute)]);
    let validity = sequence(&[tagged(0x17, b"240101000000Z"), tagged(0x17, b"440101000000Z")]);
    let key = sequence(&[integer(&modulus), integer(&[1, 0, 1])]);
    let content = sequence(&[
        tagged(0xA0, &tagged(0x02, &[2])),
        integer(&serial),
        algorithm(SHA256_WITH_RSA),
        subject.clone(),
        validity,
        subject,
        sequence(&[algorithm(RSA), bits(&key)]),
    ]);
    sequence(&[content, algorithm(SHA256_WITH_RSA), bits(&noise)])
}

fn sequence(parts: &[Vec<u8>]) -> Vec<u8> {
    tagged(0x30, &parts.concat())
}

fn integer(octets: &[u8]) -> Vec<u8> {
    let sign: &[u8] = if octets[0] & 0x80 == 0 { &[] } else { &[0] };
    tagged(0x02, &[sign, octets].concat())
}

fn bits(octets: &[u8]) -> Vec<u8> {
    tagged(0x03, &[&[0], octets].concat())
}

/// X.690, section 8.1.
fn tagged(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).expect("short").to_be_bytes();
    let length: &[u8] = match content.len() {
        0..=0x7F => &length[1..],
        0x80..=0xFF => &[0x81, length[1]],
        _ => &[0x82, length[0], length[1]],
    };
    [&[tag], length, content].concat()
}

#[cfg(test)]
mod tests {
    use certs::PublicKey;

    use super::*;

    #[test]
    fn a_reader_of_certificates_takes_them() {
        let mut numbers = Numbers::new(1);
        for _ in 0..20 {
            let certificate = certificate("idp.example", &mut numbers);
            PublicKey::from_certificate_der(&certificate).expect("an RSA key of 2048 bits");
        }
    }
}
