//! Providers that a relying party names and that nobody knows here are looked for in other federations before the login is routed.

use broker_core::{identifier::ProviderId, request::AuthenticationRequest, routing::Peers as _};

use super::Step;
use crate::source_watch::LookedUp;

/// How many names of one request are looked up.
const LOOKED_UP: usize = 3;

impl Step<'_> {
    /// Providers that the relying party names and nobody knows here are looked for where sources can be asked (design decision 7). The answer of a
    /// provider never causes that.
    pub(super) async fn look_up_named(&mut self, request: &AuthenticationRequest) {
        if !self.node.sources.answers_look_ups() {
            return;
        }
        let hinted = request.login_hint.as_ref().map(|hint| hint.as_str().trim());
        // A hint that is no address names a person or an organisation.
        let hinted = hinted.filter(|hint| hint.starts_with("https://")).map(ProviderId::from);
        let mut found = false;
        for id in request.providers.iter().chain(&hinted).take(LOOKED_UP) {
            let is_known = self.registry.provider(id).is_some()
                || self.registry.providers_by_name().iter().any(|provider| provider.behind.contains(id));
            if !is_known {
                let store = &**self.node.vault.store();
                found |=
                    self.node.sources.look_up(id, &request.relying_party, store).await == LookedUp::Found;
            }
        }
        if found {
            self.node.rejoin().await;
            if let Ok(registry) = self.node.registry.confirmed(self.moment.now) {
                self.registry = registry;
            }
        }
    }
}
