//! SAML metadata as an operator adds it (`metadata::addition`, `metadata::saml`, `metadata::lint`).

use std::collections::HashMap;

use certs_xml::{Document, Limits};
use metadata::{
    addition::{Prepared, names},
    lint::Tongue,
    revision::EntryId,
    saml::{MOST_OCTETS, MetadataFile},
};

use crate::{scene::SCENE, xml::writes_what_it_reads};

/// What must hold of any input.
pub fn body(octets: &[u8]) {
    // A relying party's file is the other target's.
    let octets = octets.trim_ascii_start();
    if octets.starts_with(b"{") || octets.len() > 256 * 1024 {
        return;
    }
    if let Ok(document) = Document::read(octets, Limits::metadata(MOST_OCTETS)) {
        writes_what_it_reads(&document);
    }
    let prepared = SCENE.prepared(octets);
    can_be_done(&prepared);
    if !prepared.report.has_errors() {
        let found = names(octets);
        assert!(prepared.parties.iter().all(|party| found.contains(&party.id)), "what is added has a name");
    }
    if let Ok(file) = MetadataFile::read(octets, MOST_OCTETS) {
        for entity in file.entities().take(8) {
            let Some(id) = entity.attribute("entityID") else { continue };
            assert!(file.entity(id).is_some(), "what is listed is found");
        }
    }
}

/// A report can be shown; without errors, what was prepared can be put into a registry, where everybody is whole.
pub(crate) fn can_be_done(prepared: &Prepared) {
    for tongue in [Tongue::Swedish, Tongue::English] {
        let text = prepared.report.render("file", tongue);
        assert!(prepared.report.findings.is_empty() || !text.is_empty(), "what was found is shown");
    }
    if prepared.report.has_errors() {
        assert!(
            prepared.changes.is_empty() && prepared.documents.is_empty(),
            "a file with errors adds nothing"
        );
        assert!(prepared.shown_secret.is_none(), "a file with errors makes no secret");
        return;
    }
    assert!(!prepared.parties.is_empty(), "a file without errors adds somebody");
    assert_eq!(prepared.parties.len(), prepared.changes.len(), "each of them by a change");
    let mut manifest = SCENE.registry.manifest().clone();
    for change in &prepared.changes {
        manifest = manifest.with(change.clone()).expect("what was prepared can be done");
    }
    let more: HashMap<String, Vec<u8>> = prepared.documents.iter().cloned().collect();
    let registry = SCENE.built(&manifest, &more);
    for party in &prepared.parties {
        let withheld = registry.withheld().iter().find(|withheld| withheld.id == party.id);
        assert!(withheld.is_none(), "what was added without errors is withheld");
        match &party.id {
            EntryId::SamlProvider(id) => {
                let provider = registry.saml_provider(id).expect("added");
                assert!(!provider.signing_keys.is_empty(), "a provider without keys");
                assert!(!provider.single_sign_on.is_empty(), "a provider that cannot be asked");
            }
            EntryId::OidcClient(id) => {
                let client = registry.oidc_client(id).expect("added");
                assert!(!client.redirect_uris.is_empty(), "a relying party without an address");
                assert!(client.scopes.contains("openid"), "a relying party without openid");
            }
            EntryId::Organisation(_) => panic!("an organisation comes another way"),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{scene::SCENE, seeds};

    #[test]
    fn the_seeds_get_to_the_end() {
        for target in ["metadata", "client_metadata"] {
            let whole =
                seeds::of(target).iter().filter(|seed| !SCENE.prepared(seed).report.has_errors()).count();
            assert!(whole >= 2, "{target}: {whole} seeds can be added");
        }
    }
}
