//! The files that the demo's parties are registered with: the same kinds that any organisation hands in.
//!
//! | file | what |
//! |---|---|
//! | `sparvidd.toml` | the broker's configuration |
//! | `organisations/KEY.toml` | an organisation record |
//! | `metadata/idp-KEY.xml` | SAML metadata of an identity provider, signed |
//! | `metadata/vardplaneringen.json` | OpenID Connect client metadata (RFC 7591 names) |
//!
//! Neighbours: `cast.rs` says who they are, `mod.rs` registers the files.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use broker_saml::{
    attributes::{URI_NAME_FORMAT, saml_name},
    name_id::{PERSISTENT, TRANSIENT},
};
use certs::{
    Jwk, JwkSet, PrivateKey, Signer as _,
    xml_signature::{CannotSign, sign_enveloped},
};
use certs_xml::{
    NewElement,
    namespace::{DS, MD, MDATTR, MDORGEXT, MDUI, SAML, SAMLP, SHIBMD, XML},
};
use metadata::SamlBinding;
use serde_json::json;

use super::{
    Site,
    cast::{Dialect, ENTITLED, Employer, SERVICE},
    identity_provider,
    relying_party::{self, SCOPES},
    texts::Text,
};

/// The broker's configuration.
pub(super) fn configuration(broker: &Site) -> String {
    format!(
        "# The demo's broker. docs/configuration.md says what each key does.\n\
         issuer = \"{issuer}\"\n\
         listen = \"127.0.0.1:{port}\"\n\
         keys = \"keys\"\n\
         state = \"state\"\n\n\
         [store]\n\
         url = \"embedded:state/registry.redb\"\n\n\
         [federation]\n\
         name.sv = \"Spårvidds demofederation\"\n\
         name.en = \"The Spårvidd demo federation\"\n\
         contact = \"federationen@demo.example\"\n",
        issuer = broker.origin(),
        port = broker.port,
    )
}

/// An organisation record, as the federation operator writes it.
pub(super) fn organisation(employer: &Employer) -> String {
    let owns_service = std::ptr::eq(employer, SERVICE.owner) || employer.key == SERVICE.owner.key;
    let entitled = if owns_service { quoted(&ENTITLED) } else { String::new() };
    let ceiling = employer.levels.last().map(|level| format!("\"{level}\"")).unwrap_or_default();
    let prefix = employer.hsa_prefix.map(|prefix| format!("\"{prefix}\"")).unwrap_or_default();
    format!(
        "# {name}: a fictional organisation of the demo.\n\
         number = \"{number}\"\n\
         name.sv = \"{name}\"\n\
         name.en = \"{english}\"\n\
         domains = [\"{domain}\", \"{mail}\"]\n\
         scopes = [\"{mail}\"]\n\
         hsa_prefixes = [{prefix}]\n\
         ceiling = [{ceiling}]\n\
         # What its services may be given.\n\
         entitled = [{entitled}]\n\n\
         [support]\n\
         email = \"servicedesk@{mail}\"\n",
        name = employer.name.sv,
        english = employer.name.en,
        number = employer.number,
        domain = employer.domain,
        mail = employer.mail_domain,
    )
}

fn quoted(items: &[&str]) -> String {
    items.iter().map(|item| format!("\"{item}\"")).collect::<Vec<_>>().join(", ")
}

/// An identity provider's metadata (SAML Metadata 2.4.3; what Sweden Connect asks for besides), signed with its own key.
///
/// # Errors
/// When the key does not sign.
pub(super) fn identity_provider(
    employer: &Employer,
    site: &Site,
    key: &PrivateKey,
) -> Result<Vec<u8>, CannotSign> {
    let levels = employer.levels.iter().copied();
    let certification = NewElement::new(SAML, "Attribute")
        .with_attribute("Name", "urn:oasis:names:tc:SAML:attribute:assurance-certification")
        .with_attribute("NameFormat", URI_NAME_FORMAT)
        .with_children(levels.map(|level| NewElement::new(SAML, "AttributeValue").with_text(level)));
    let entity_attributes = NewElement::new(MDATTR, "EntityAttributes").with_child(certification);
    let entity = NewElement::new(MD, "EntityDescriptor")
        .with_attribute("ID", "_metadata")
        .with_attribute("entityID", site.at(identity_provider::METADATA))
        .with_child(NewElement::new(MD, "Extensions").with_child(entity_attributes))
        .with_child(role(employer, site, key))
        .with_child(organisation_element(employer))
        .with_child(contact(employer, "technical"))
        .with_child(contact(employer, "support"));
    Ok(sign_enveloped(entity, key)?.to_canonical()?)
}

fn role(employer: &Employer, site: &Site, key: &PrivateKey) -> NewElement {
    let interface = NewElement::new(MDUI, "UIInfo")
        .with_children(in_both(MDUI, "DisplayName", employer.name))
        .with_children(in_both(
            MDUI,
            "Description",
            Text { sv: "Inloggning för personal (påhittad)", en: "Sign-in for staff (fictional)" },
        ));
    let scopes = [employer.mail_domain, employer.number]
        .map(|scope| NewElement::new(SHIBMD, "Scope").with_attribute("regexp", "false").with_text(scope));
    let certificate = STANDARD.encode(key.certificate_der().unwrap_or_default());
    let key_info = NewElement::new(DS, "KeyInfo").with_child(
        NewElement::new(DS, "X509Data")
            .with_child(NewElement::new(DS, "X509Certificate").with_text(certificate)),
    );
    let name_id = if employer.dialect == Dialect::Agency { PERSISTENT } else { TRANSIENT };
    let bindings: &[SamlBinding] = match employer.dialect {
        Dialect::Municipality | Dialect::Region => &[SamlBinding::Redirect, SamlBinding::Post],
        Dialect::Agency => &[SamlBinding::Post],
    };
    let endpoints = bindings.iter().map(|binding| {
        NewElement::new(MD, "SingleSignOnService")
            .with_attribute("Binding", binding.uri())
            .with_attribute("Location", site.at(identity_provider::SIGN_ON))
    });
    let attributes = identity_provider::offered(employer.dialect)
        .iter()
        .filter_map(|name| saml_name(*name))
        .map(|(name, friendly)| {
            NewElement::new(SAML, "Attribute")
                .with_attribute("Name", name)
                .with_attribute("NameFormat", URI_NAME_FORMAT)
                .with_attribute("FriendlyName", friendly)
        });
    NewElement::new(MD, "IDPSSODescriptor")
        .with_attribute("WantAuthnRequestsSigned", "true")
        .with_attribute("protocolSupportEnumeration", SAMLP.uri())
        .with_child(NewElement::new(MD, "Extensions").with_children(scopes).with_child(interface))
        .with_child(
            NewElement::new(MD, "KeyDescriptor").with_attribute("use", "signing").with_child(key_info),
        )
        .with_child(NewElement::new(MD, "NameIDFormat").with_text(name_id))
        .with_children(endpoints)
        .with_children(attributes)
}

fn organisation_element(employer: &Employer) -> NewElement {
    let number = NewElement::new(MDORGEXT, "OrganizationNumber").with_text(employer.number);
    let address = format!("http://{}", employer.domain);
    let urls = ["sv", "en"].map(|language| {
        NewElement::new(MD, "OrganizationURL").with_attribute_in(XML, "lang", language).with_text(&*address)
    });
    NewElement::new(MD, "Organization")
        .with_child(NewElement::new(MD, "Extensions").with_child(number))
        .with_children(in_both(MD, "OrganizationName", employer.name))
        .with_children(in_both(MD, "OrganizationDisplayName", employer.name))
        .with_children(urls)
}

fn contact(employer: &Employer, kind: &'static str) -> NewElement {
    NewElement::new(MD, "ContactPerson")
        .with_attribute("contactType", kind)
        .with_child(NewElement::new(MD, "GivenName").with_text("Servicedesk"))
        .with_child(
            NewElement::new(MD, "EmailAddress")
                .with_text(format!("mailto:servicedesk@{}", employer.mail_domain)),
        )
}

fn in_both(namespace: certs_xml::Namespace, name: &'static str, text: Text) -> [NewElement; 2] {
    [("sv", text.sv), ("en", text.en)].map(|(language, said)| {
        NewElement::new(namespace, name).with_attribute_in(XML, "lang", language).with_text(said)
    })
}

/// The service's client metadata (RFC 7591 section 2, OIDC Registration 2).
pub(super) fn client(site: &Site, key: &PrivateKey) -> String {
    let document = json!({
        "client_id": SERVICE.client_id,
        "client_name": SERVICE.name.sv,
        "client_name#sv": SERVICE.name.sv,
        "client_name#en": SERVICE.name.en,
        "organization_name": SERVICE.owner.name.sv,
        "organization_identifier": SERVICE.owner.number,
        "client_uri": site.at("/"),
        "initiate_login_uri": site.at(relying_party::SIGN_IN),
        "redirect_uris": [site.at(relying_party::CALLBACK)],
        "response_types": ["code"],
        "grant_types": ["authorization_code"],
        "subject_type": "pairwise",
        "scope": SCOPES.join(" "),
        "token_endpoint_auth_method": "private_key_jwt",
        "token_endpoint_auth_signing_alg": "ES256",
        "id_token_signed_response_alg": "ES256",
        "userinfo_signed_response_alg": "ES256",
        "jwks": JwkSet::new(vec![Jwk::of(key)]).to_json(),
        "contacts": [format!("vardplaneringen@{}", SERVICE.owner.mail_domain)],
    });
    // Pretty, since people read it with --directory. Alternate form of a JSON value cannot fail.
    format!("{document:#}\n")
}

#[cfg(test)]
mod tests {
    use certs::{
        AlgorithmPolicy,
        xml_signature::{Profile, verify},
    };
    use certs_xml::{Document, Limits};

    use super::*;
    use crate::{command::demo::cast::EMPLOYERS, config::Config};

    #[test]
    fn the_configuration_is_one_that_serve_takes() {
        let text = configuration(&Site { host: "broker.localhost".to_owned(), port: 8400 });
        let config = Config::parse(std::path::Path::new("/demo/sparvidd.toml"), &text)
            .map_err(|problems| problems.to_string());
        assert_eq!(config.map(|config| config.file.issuer), Ok("http://broker.localhost:8400".to_owned()));
    }

    #[test]
    fn metadata_is_signed_by_the_key_that_it_names() {
        let key = PrivateKey::generate_p256().expect("a key");
        for employer in EMPLOYERS {
            let site = Site { host: format!("idp.{}", employer.domain), port: 1 };
            let octets = super::identity_provider(employer, &site, &key).expect("written");
            let document = Document::read(&octets, Limits::metadata(octets.len())).expect("well-formed");
            let keys = [key.public_key().clone()];
            assert!(verify(document.root(), &keys, &AlgorithmPolicy::default(), Profile::Metadata).is_ok());
        }
    }

    #[test]
    fn records_are_toml_that_names_each_number() {
        for employer in EMPLOYERS {
            let table: toml::Table = organisation(employer).parse().expect("TOML");
            assert_eq!(table.get("number").and_then(toml::Value::as_str), Some(employer.number));
        }
    }
}
