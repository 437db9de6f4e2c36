//! One login, request by request. Between any two of them a test may look into the store, kill a node, or go on at another.

use std::sync::Arc;

use broker_saml::idp::AssertionToIssue;
use serde_json::{Map, Value};

use crate::{
    browser::{Browser, Form, Page},
    federation::Federation,
    person::Person,
    provider::{Asked, Provider},
    relying_party::{self, Attempt, RelyingParty, Returned},
    wire::Wire,
};

/// What the next request is.
#[derive(Debug, Clone)]
pub enum Next {
    /// The authorization request.
    Authorize,
    /// The organisation's link on the choice page.
    Choose(String),
    /// The provider's answer is posted.
    Assert(Form),
    /// The notice is shown.
    Notice(String),
    /// The notice is accepted.
    Accept(Form),
    /// The relying party redeems its code.
    Redeem(String),
    /// The relying party asks for userinfo.
    Userinfo(String),
    /// None: it is over.
    Done,
}

impl Next {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Authorize => "authorize",
            Self::Choose(_) => "choose",
            Self::Assert(_) => "assert",
            Self::Notice(_) => "notice",
            Self::Accept(_) => "accept",
            Self::Redeem(_) => "redeem",
            Self::Userinfo(_) => "userinfo",
            Self::Done => "done",
        }
    }
}

/// What the relying party has in the end.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// The claims of the ID token.
    pub id_token: Map<String, Value>,
    /// The claims of userinfo.
    pub userinfo: Map<String, Value>,
    /// The access token.
    pub access_token: String,
    /// The code that was redeemed.
    pub code: String,
}

/// A login under way.
#[derive(Debug)]
pub struct Walk<'f> {
    /// The federation that it is in.
    pub federation: &'f Federation,
    /// Who asks.
    pub party: &'f RelyingParty,
    /// Who answers.
    pub provider: &'f Provider,
    /// Who signs in.
    pub person: Person,
    /// Her browser.
    pub browser: Browser,
    /// The connections of her browser and of the relying party.
    pub wire: Arc<Wire>,
    /// What the relying party remembers.
    pub attempt: Attempt,
    /// What the next request is.
    pub next: Next,
    /// What the provider was asked.
    pub asked: Option<Asked>,
    /// What has come out.
    pub outcome: Outcome,
    /// Every opaque text that was handed out on the way: cookies, handles, codes, tokens.
    pub secrets: Vec<String>,
    /// The provider forgets RelayState.
    pub drop_relay_state: bool,
}

impl<'f> Walk<'f> {
    /// A login of `person` through Granvik to the first relying party.
    #[must_use]
    pub fn new(federation: &'f Federation, person: Person) -> Self {
        Self::between(federation, federation.party(), &federation.granvik, person)
    }

    /// A login to `party` through `provider`, which is chosen on the choice page.
    #[must_use]
    pub fn between(
        federation: &'f Federation,
        party: &'f RelyingParty,
        provider: &'f Provider,
        person: Person,
    ) -> Self {
        Self {
            federation,
            party,
            provider,
            person,
            browser: federation.browser(),
            wire: federation.wire.clone(),
            attempt: party.begin(),
            next: Next::Authorize,
            asked: None,
            outcome: Outcome::default(),
            secrets: Vec::new(),
            drop_relay_state: false,
        }
    }

    /// Over connections of its own.
    #[must_use]
    pub fn over(mut self, wire: Arc<Wire>) -> Self {
        self.browser = Browser::new(wire.clone(), &self.federation.issuer);
        self.wire = wire;
        self
    }

    /// The relying party names the provider, so that no choice is shown.
    #[must_use]
    pub fn naming_the_provider(mut self) -> Self {
        let name = self.provider.entity_id.clone();
        self.attempt = self.attempt.with("https://id.oidc.se/param/authnProvider", &name);
        self
    }

    /// Sends the next request to the node on `port`. What comes is what a login that goes well brings; anything else fails the test.
    pub async fn step(&mut self, port: u16) {
        self.next = match self.next.clone() {
            Next::Authorize => {
                let page = self.browser.open(port, &self.attempt.path()).await;
                self.after_begin(port, page).await
            }
            Next::Choose(link) => {
                let page = self.browser.open(port, &link).await;
                self.at_provider(port, &page).await
            }
            Next::Assert(form) => {
                let address = self.browser.submit(port, &form).await.location();
                if address.starts_with("/login/") { Next::Notice(address) } else { self.back(&address) }
            }
            Next::Notice(address) => {
                let page = self.browser.open(port, &address).await;
                assert_eq!(page.reply.status, 200, "{}", page.reply.text());
                Next::Accept(page.form().pressing("decision", "accept"))
            }
            Next::Accept(form) => {
                let page = self.browser.submit(port, &form).await;
                assert_eq!(page.reply.status, 200, "{}", page.reply.text());
                self.back(&page.first_button())
            }
            Next::Redeem(code) => {
                let issuer = &self.federation.issuer;
                let reply = self.party.redeem(&self.wire, port, issuer, &self.attempt, &code).await;
                assert_eq!(reply.status, 200, "{}", reply.text());
                let answer = reply.json();
                assert_eq!(answer["token_type"], "Bearer");
                let keys = self.federation.oidc_keys(port).await;
                self.outcome.id_token = self.party.id_token(issuer, &self.attempt, &keys, &answer);
                let access_token = answer["access_token"].as_str().expect("an access token").to_owned();
                self.secrets.push(access_token.clone());
                self.outcome.access_token.clone_from(&access_token);
                Next::Userinfo(access_token)
            }
            Next::Userinfo(access_token) => {
                let issuer = &self.federation.issuer;
                let reply = relying_party::userinfo(&self.wire, port, issuer, &access_token).await;
                assert_eq!(reply.status, 200, "{}", reply.text());
                self.outcome.userinfo = if self.party.signed_userinfo {
                    assert_eq!(reply.header(http::header::CONTENT_TYPE), "application/jwt");
                    let keys = self.federation.oidc_keys(port).await;
                    self.party.userinfo_token(issuer, &keys, &reply.text())
                } else {
                    reply.json().as_object().expect("an object").clone()
                };
                Next::Done
            }
            Next::Done => Next::Done,
        };
        self.secrets.extend(self.browser.cookies().into_values().filter_map(|value| {
            // NAME=SECRET.MINUTE: the minute is none.
            value.split('.').next().map(str::to_owned)
        }));
    }

    /// Goes on at `port` until the next request would be `name`.
    pub async fn until(&mut self, name: &str, port: u16) {
        while self.next.name() != name {
            assert!(!matches!(self.next, Next::Done), "the login ended before {name}");
            self.step(port).await;
        }
    }

    /// Goes on at `port` until the end.
    pub async fn finish(mut self, port: u16) -> Outcome {
        self.until("done", port).await;
        self.outcome
    }

    /// The provider's answer, before it is signed: for a test to change. The login must be at the provider.
    #[must_use]
    pub fn answer(&self) -> AssertionToIssue {
        self.provider.answer(self.asked.as_ref().expect("the provider was asked"), &self.person)
    }

    /// Goes on from the answer to the authorization request, which somebody else has sent.
    pub async fn arrive(&mut self, port: u16, page: &Page) {
        self.next = self.at_provider(port, page).await;
    }

    async fn after_begin(&mut self, port: u16, page: Page) -> Next {
        if page.reply.status == 200 && page.reply.text().contains("id=\"choices\"") {
            let wanted = crate::browser::encoded(&[("provider", &self.provider.entity_id)]);
            let link = page.links().into_iter().find(|link| {
                let query = link.split_once('?').map_or("", |(_, query)| query);
                let named: Vec<_> = form_urlencoded::parse(query.as_bytes()).collect();
                crate::browser::encoded(&named) == wanted
            });
            return Next::Choose(
                link.unwrap_or_else(|| panic!("{} is not offered", self.provider.entity_id)),
            );
        }
        self.at_provider(port, &page).await
    }

    async fn at_provider(&mut self, port: u16, page: &Page) -> Next {
        let keys = self.federation.saml_keys(port).await;
        let mut asked = self.provider.receive(page, &keys);
        if self.drop_relay_state {
            asked.relay_state = None;
        }
        // The ID carries the login's public selector and the trip's handle.
        let id = asked.request.id.as_str();
        self.secrets.push(id.get(id.len().saturating_sub(27)..).unwrap_or(id).to_owned());
        let answer = self.provider.answer(&asked, &self.person);
        let form = match self.provider.encrypts {
            None => self.provider.issue(&asked, &answer),
            Some(encryption) => {
                let key = self.federation.encryption_key(port).await;
                self.provider.issue_encrypted(&asked, &answer, &key, encryption)
            }
        };
        self.asked = Some(asked);
        Next::Assert(form)
    }

    fn back(&mut self, address: &str) -> Next {
        match self.party.returned(&self.federation.issuer, &self.attempt, address) {
            Returned::Code(code) => {
                self.secrets.push(code.clone());
                self.outcome.code.clone_from(&code);
                Next::Redeem(code)
            }
            Returned::Error(error) => panic!("the relying party was told {error}"),
        }
    }
}
