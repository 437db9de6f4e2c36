//! The way on for a person who belongs to another organisation than the one that they chose.

use broker_core::{
    identifier::ProviderId,
    login::{Context, Elsewhere, Suspended},
};
use broker_store::vault::{Found, VaultError};

use super::{Step, Trouble, choice_place, trouble, unkept_of};
use crate::{cookie::LoginCookie, endpoint::choice};

impl Step<'_> {
    /// The page that names both organisations. Its first link begins the same request again at the proven one, as a choice; nothing of the answer is
    /// kept. Where the login had no choice (a hint led it), it has one now.
    pub(super) async fn elsewhere(
        &self,
        elsewhere: Elsewhere,
        context: &Context,
        provider: &ProviderId,
        cookie: &LoginCookie,
    ) -> Box<Trouble> {
        let Elsewhere { login, chosen, proven, failure } = elsewhere;
        let mut told = Trouble::of(failure, context).at(provider).about(Some(&proven));
        let place = choice_place(cookie);
        match self.read(place, cookie).await {
            Ok(Found::Live(Suspended::Choice(_))) => {}
            Ok(_) => {
                let ends = self.node.login_ends(self.moment.now);
                let kept = self.node.vault.put(self.moment, place, &Suspended::Choice(login), ends).await;
                // Occupied: the same answer was posted twice in one instant, and the other was faster.
                if let Err(error) = kept
                    && !matches!(error, VaultError::Occupied)
                {
                    return unkept_of(context)(error);
                }
            }
            Err(trouble) => return trouble,
        }
        told.elsewhere =
            Some(trouble::Elsewhere { chosen, path: choice::href(cookie, provider, Some(&proven)) });
        Box::new(told)
    }
}
