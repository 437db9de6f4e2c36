//! Transport keys for the edge of the process: what `broker/src` listens and calls out with.
//!
//! The provider is named outright, so that no other crate's choice of features changes it.

use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore, ServerConfig, crypto::aws_lc_rs};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};

use crate::{pem, public_key::KeyError};

/// What a listener speaks after TLS, most wanted first.
const SERVER_PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// A configuration for listening: TLS 1.2 and 1.3, HTTP/2 and HTTP/1.1, no client certificates.
///
/// `chain` is the PEM text of the server's certificate and its intermediates, leaf first; `key` that of its private key
/// (PKCS#8, PKCS#1 or SEC 1).
///
/// # Errors
/// When a text does not hold what it should, or the key is not the certificate's.
pub fn server(chain: &str, key: &str) -> Result<Arc<ServerConfig>, TlsRefused> {
    let chain = pem::certificates(chain).map_err(TlsRefused::Certificate)?;
    let chain = chain.into_iter().map(CertificateDer::from).collect();
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(|_| TlsRefused::PrivateKey)?;
    let mut configuration = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    configuration.alpn_protocols = SERVER_PROTOCOLS.map(<[u8]>::to_vec).to_vec();
    Ok(Arc::new(configuration))
}

/// A configuration for calling out: TLS 1.2 and 1.3, trusting the public web's authorities and, where given, those in
/// `own_authorities` (a PEM text) as well.
///
/// # Errors
/// When `own_authorities` holds no certificate, or one that cannot be an authority.
pub fn client(own_authorities: Option<&str>) -> Result<Arc<ClientConfig>, TlsRefused> {
    let mut authorities = RootCertStore::empty();
    authorities.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    if let Some(text) = own_authorities {
        for certificate in pem::certificates(text).map_err(TlsRefused::Certificate)? {
            authorities.add(CertificateDer::from(certificate))?;
        }
    }
    let configuration = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(authorities)
        .with_no_client_auth();
    Ok(Arc::new(configuration))
}

/// Why a transport configuration could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsRefused {
    /// The certificates cannot be read.
    #[error("the certificates cannot be read: {0}")]
    Certificate(#[source] KeyError),
    /// The private key cannot be read.
    #[error("the private key cannot be read: a PEM section \"PRIVATE KEY\" is expected")]
    PrivateKey,
    /// They can be read, and do not make a configuration.
    #[error("certificates and key do not go together: {0}")]
    Configuration(#[from] rustls::Error),
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};

    use super::*;
    use rustls::{ClientConnection, ServerConnection};

    /// A certificate for `localhost` that is its own authority, and its key, in PEM.
    fn localhost() -> (String, String) {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("made");
        (made.cert.pem(), made.signing_key.serialize_pem())
    }

    /// Runs a handshake in memory; the protocol agreed on, or what the client refused with.
    fn handshake(server: Arc<ServerConfig>, client: Arc<ClientConfig>) -> Result<(), rustls::Error> {
        let name = "localhost".try_into().expect("a name");
        let mut client = ClientConnection::new(client, name).expect("a client");
        let mut server = ServerConnection::new(server).expect("a server");
        for _ in 0..10 {
            let mut wire = Vec::new();
            client.write_tls(&mut wire).expect("written");
            server.read_tls(&mut wire.as_slice()).expect("read");
            server.process_new_packets()?;
            let mut wire = Vec::new();
            server.write_tls(&mut wire).expect("written");
            client.read_tls(&mut wire.as_slice()).expect("read");
            client.process_new_packets()?;
        }
        assert!(!client.is_handshaking() && !server.is_handshaking());
        client.writer().write_all(b"hello").expect("written");
        let mut wire = Vec::new();
        client.write_tls(&mut wire).expect("written");
        server.read_tls(&mut wire.as_slice()).expect("read");
        server.process_new_packets()?;
        let mut heard = [0; 5];
        server.reader().read_exact(&mut heard).expect("read");
        assert_eq!(&heard, b"hello");
        Ok(())
    }

    #[test]
    fn a_server_is_trusted_by_its_own_authority_and_by_no_other() {
        let (certificate, key) = localhost();
        let server = server(&certificate, &key).expect("a server");
        assert_eq!(handshake(Arc::clone(&server), client(Some(&certificate)).expect("a client")), Ok(()));
        assert!(handshake(server, client(None).expect("a client")).is_err());
    }

    #[test]
    fn another_certificates_key_is_refused() {
        let (certificate, _) = localhost();
        let (_, key) = localhost();
        assert!(matches!(server(&certificate, &key), Err(TlsRefused::Configuration(_))));
    }

    #[test]
    fn texts_that_hold_nothing_are_refused() {
        let (certificate, key) = localhost();
        assert!(matches!(server("", &key), Err(TlsRefused::Certificate(_))));
        assert!(matches!(server(&certificate, &certificate), Err(TlsRefused::PrivateKey)));
        assert!(matches!(client(Some("nothing")), Err(TlsRefused::Certificate(_))));
    }
}
