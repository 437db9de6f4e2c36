//! Our SAML metadata: what providers need to know of us, signed with the metadata key (SAML Metadata 2.4.4).

use std::{collections::BTreeMap, sync::Arc};

use arc_swap::ArcSwapOption;
use broker_core::{
    identifier::Language,
    moment::{Moment, Timestamp},
    organisation::LocalText,
};
use broker_saml::sp::{
    SpEntity,
    metadata::{Presentation, metadata},
};
use metadata::{Contact, ContactKind, publish::Validity};

use crate::wiring::Node;

/// How long a copy may be used: a provider that fetches daily always has one, and a key that we take back is gone within two weeks.
pub(crate) const VALID_DAYS: i64 = 14;
/// How often a copy should be renewed, in seconds.
pub(crate) const CACHE_SECONDS: u32 = 6 * 3600;
/// The document changes this often at most, so that it is the same on every node and can be compared.
const STEP: i64 = 24 * 3600;

/// The documents of a day, by the name of the service provider, each signed once: they are fetched by anybody.
#[derive(Debug, Default)]
pub(crate) struct OwnMetadata(ArcSwapOption<Today>);

#[derive(Debug)]
struct Today {
    day: i64,
    documents: BTreeMap<String, Vec<u8>>,
}

impl OwnMetadata {
    /// The document of a service provider as it stands today; `None`: there is none of that name.
    ///
    /// # Errors
    /// When the key does not sign, or a configured text cannot be written as XML.
    pub(crate) fn today(
        &self,
        node: &Node,
        name: &str,
        moment: Moment<'_>,
    ) -> Result<Option<Vec<u8>>, String> {
        let day = moment.now.0.div_euclid(STEP);
        if let Some(made) = self.0.load().as_ref().filter(|made| made.day == day) {
            return Ok(made.documents.get(name).cloned());
        }
        let documents = node
            .service_providers()
            .map(|entity| Ok((entity.name.clone(), sign(node, entity, moment)?)))
            .collect::<Result<BTreeMap<_, _>, String>>()?;
        let document = documents.get(name).cloned();
        self.0.store(Some(Arc::new(Today { day, documents })));
        Ok(document)
    }
}

/// The document, signed.
///
/// # Errors
/// When the key does not sign, or a configured text cannot be written as XML.
fn sign(node: &Node, entity: &SpEntity, moment: Moment<'_>) -> Result<Vec<u8>, String> {
    let federation = &node.config.file.federation;
    let organisation =
        if federation.organisation.is_empty() { &federation.name } else { &federation.organisation };
    let home = text(&[("sv", &node.config.file.issuer), ("en", &node.config.file.issuer)]);
    let presentation = Presentation {
        display_name: federation.name.clone(),
        description: text(&[
            (
                "sv",
                "Förmedlar inloggning med arbetsgivarens e-legitimation till andra organisationers tjänster.",
            ),
            ("en", "Lets people sign in to other organisations' services with their employer's e-ID."),
        ]),
        attributes: entity.attributes.iter().copied().collect(),
        categories: entity.categories.clone(),
        organisation: (organisation.clone(), organisation.clone(), home),
        contacts: federation
            .contact
            .iter()
            .map(|address| Contact {
                kind: ContactKind::Technical,
                name: federation.name.best(&[]).map(str::to_owned),
                email: Some(address.trim_start_matches("mailto:").to_owned()),
                telephone: None,
            })
            .collect(),
        ..Presentation::default()
    };
    let day = moment.now.0 - moment.now.0.rem_euclid(STEP);
    let validity =
        Validity { until: Some(Timestamp(day).plus(VALID_DAYS * STEP)), cache_seconds: Some(CACHE_SECONDS) };
    let certificates = node.keys.saml_signing_certificates();
    let encryption = Some(node.keys.saml_decryption_certificate().to_vec());
    let signer = &**node.keys.metadata_signing();
    metadata(&entity.settings, &presentation, certificates, encryption, validity, signer)
        .map_err(|error| error.to_string())
}

fn text(languages: &[(&str, &str)]) -> LocalText {
    LocalText(
        languages
            .iter()
            .filter_map(|(tag, text)| Some((Language::from_tag(tag)?, (*text).to_owned())))
            .collect(),
    )
}
