//! One provider behind which three organisations stand, as a service provider runs one for many municipalities. Whose person it is, the assertion
//! proves; what was clicked, hinted or named decides nothing.
//!
//! Neighbours: `broker_core::release::organisation` has a test for each proof; `rogue.rs` what one provider says of another's people.

use std::{fs, time::Duration};

use broker_core::attribute::{AttributeName as A, Attributes};
use broker_saml::{
    attributes::to_saml,
    idp::{NameIdToIssue, Signed},
    name_id,
};
use serde_json::{Map, Value};
use tests::{
    browser::Page,
    federation::{Federation, Plan, eventually},
    person::Person,
    provider::{LOA3, Provider, TakenBy},
    relying_party::{RelyingParty, Returned},
    walk::{Next, Walk},
};

const LOA2: &str = "http://id.elegnamnden.se/loa/1.0/loa2";
const GRANVIK: &str = "2120009903";
const FJORDEN: &str = "2321009900";
const SKOGBY: &str = "2120009911";
const UNPROVEN: &str = "policy.organisation_unproven";

/// A whole picture: 60 by 60 pixels of one green.
fn png() -> Vec<u8> {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    STANDARD
        .decode("iVBORw0KGgoAAAANSUhEUgAAADwAAAA8CAIAAAC1nk4lAAAASklEQVR42u3OQQkAAAgEsHsbzQj2D2ILQRgswFLT70RaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpa+sICCzePaPIG/7sAAAAASUVORK5CYII=")
        .expect("base64")
}

/// The federation, with a provider that speaks for Granvik, Fjorden and Skogby. Hamnverket answers for its machine, and is none of them.
struct Shared {
    federation: Federation,
    provider: Provider,
    tidbok: RelyingParty,
}

async fn start() -> Shared {
    let tidbok = RelyingParty::with_basic("tidbok");
    let plan = Plan {
        notice: false,
        ec: true,
        relying_parties: vec![RelyingParty::with_basic("journal"), tidbok.clone()],
        ..Plan::default()
    };
    let federation = Federation::start(plan).await;
    let mut provider =
        Provider::new("Samdriften", "idp.hamnverket.localhost", "2021009903", TakenBy::Redirect, true);
    provider.signed = Signed::Response;
    let write = |name: &str, octets: &[u8]| {
        fs::write(federation.folder.path().join(name), octets).expect("a file");
    };
    let record = |number: &str, name: &str, title: &str, level: &str, more: &str| {
        write(
            &format!("{name}.toml"),
            format!(
                "number = \"{number}\"\nname = {{ sv = \"{title}\" }}\ndomains = [\"{name}.localhost\"]\n\
                 scopes = [\"{name}.localhost\"]\nhsa_prefixes = [\"SE{number}-\"]\nceiling = [\"{level}\"]\n\
                 support = {{ email = \"support@{name}.localhost\" }}\n{more}\n"
            )
            .as_bytes(),
        );
        let _ = federation.command(&["organisation", "add", &format!("{name}.toml")]);
    };
    write("vapen.png", &png());
    record(GRANVIK, "granvik", "Granviks kommun", LOA3, "aliases = [\"Gröna staden\"]\nlogo = \"vapen.png\"");
    record(FJORDEN, "fjorden", "Region Fjorden", LOA3, "");
    record(SKOGBY, "skogby", "Skogby kommun", LOA2, "relying_parties = [\"tidbok\"]");
    let level = |level: &str| format!("<saml:AttributeValue>{level}</saml:AttributeValue>");
    let metadata = provider.metadata().replace(&level(LOA3), &[level(LOA2), level(LOA3)].concat());
    write("shared.xml", metadata.as_bytes());
    // Fjorden's people come through the shared one alone; Granvik's have two ways.
    let _ = federation.command(&["metadata", "remove", &federation.fjorden.entity_id]);
    let added = federation.command(&[
        "metadata",
        "add",
        "shared.xml",
        "--organisation",
        "2021009903",
        "--for",
        GRANVIK,
        "--for",
        FJORDEN,
        "--for",
        SKOGBY,
        "--subject-source",
        "persistent_name_id",
    ]);
    assert!(added.contains("it speaks for 2120009903, 2120009911, 2321009900"), "{added}");
    let shared = Shared { federation, provider, tidbok };
    eventually("the provider is offered", Duration::from_secs(20), || async {
        let walk = shared.walk();
        let page = walk.browser.open(shared.federation.port(), &walk.attempt.path()).await;
        link(&page, FJORDEN).is_some()
    })
    .await;
    shared
}

/// How a login comes to the provider.
#[derive(Clone, Copy)]
enum By<'a> {
    /// The link of an organisation on the choice page.
    Link(&'a str),
    /// The relying party names the provider.
    Name,
    /// A hint.
    Hint(&'a str),
}

type Says<'a> = &'a [(A, &'a str)];

impl Shared {
    fn walk(&self) -> Walk<'_> {
        Walk::between(&self.federation, self.federation.party(), &self.provider, Person::asa())
    }

    /// Goes to the provider.
    async fn go<'f>(&'f self, mut walk: Walk<'f>, by: By<'_>) -> Walk<'f> {
        let port = self.federation.port();
        walk = match by {
            By::Link(_) => walk,
            By::Name => walk.naming_the_provider(),
            By::Hint(hint) => {
                walk.attempt = walk.attempt.clone().with("login_hint", hint);
                walk
            }
        };
        let mut page = walk.browser.open(port, &walk.attempt.path()).await;
        if let By::Link(number) = by {
            let link = link(&page, number).unwrap_or_else(|| panic!("{number} is not offered"));
            page = walk.browser.open(port, &link).await;
        }
        walk.arrive(port, &page).await;
        walk
    }

    /// The provider says this, at this level, and the browser posts it.
    async fn post(&self, walk: &Walk<'_>, says: Says<'_>, level: &str) -> Page {
        let mut attributes = Attributes::new();
        attributes.add(A::DisplayName, "Vera Vik");
        for (name, value) in says {
            attributes.add(*name, *value);
        }
        let mut answer = walk.answer();
        answer.attributes = to_saml(&attributes);
        answer.authn_context = level.to_owned();
        answer.name_id = NameIdToIssue {
            format: name_id::PERSISTENT.to_owned(),
            value: "9f3c-vera".to_owned(),
            sp_name_qualifier: None,
        };
        let form = self.provider.issue(walk.asked.as_ref().expect("the provider was asked"), &answer);
        walk.browser.submit(self.federation.port(), &form).await
    }

    /// The claims of a login, or the code and the page that it ends with.
    async fn end(&self, mut walk: Walk<'_>, sent: Page) -> Result<Map<String, Value>, (String, Page)> {
        let port = self.federation.port();
        if !sent.location().starts_with(&walk.party.redirect_uri) {
            let (page, _, code) = self.federation.refused(&walk.browser, port, &sent).await;
            return Err((code, page));
        }
        match walk.party.returned(&self.federation.issuer, &walk.attempt, &sent.location()) {
            Returned::Code(code) => walk.next = Next::Redeem(code),
            Returned::Error(error) => panic!("the relying party was told {error}"),
        }
        let outcome = walk.finish(port).await;
        let mut claims = outcome.id_token;
        claims.extend(outcome.userinfo);
        Ok(claims)
    }

    async fn login(
        &self,
        by: By<'_>,
        says: Says<'_>,
        level: &str,
    ) -> Result<Map<String, Value>, (String, Page)> {
        let walk = self.go(self.walk(), by).await;
        let sent = self.post(&walk, says, level).await;
        self.end(walk, sent).await
    }

    /// The code that a login ends with.
    async fn refused(&self, by: By<'_>, says: Says<'_>) -> String {
        match self.login(by, says, LOA2).await {
            Ok(claims) => panic!("{says:?} is let through: {claims:?}"),
            Err((code, _)) => code,
        }
    }
}

/// The link of an organisation.
fn link(page: &Page, number: &str) -> Option<String> {
    page.links().into_iter().find(|link| link.ends_with(&format!("&organisation={number}")))
}

fn number_of(claims: &Map<String, Value>) -> &str {
    claims["https://id.oidc.se/claim/orgNumber"].as_str().expect("a number")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_organisation_is_what_the_assertion_proves() {
    let shared = start().await;
    // Each kind of proof, for each way to the provider.
    let proofs: [Says<'_>; 5] = [
        &[(A::OrganisationNumber, FJORDEN)],
        &[(A::OrgAffiliation, "vera@2321009900")],
        &[(A::SubjectId, "vera@fjorden.localhost")],
        &[(A::EduPersonPrincipalName, "vera@fjorden.localhost")],
        &[(A::EmployeeHsaId, "SE2321009900-V1")],
    ];
    let mut subs = Vec::new();
    for says in proofs {
        for by in [By::Link(FJORDEN), By::Name, By::Hint("vera@fjorden.localhost")] {
            let claims =
                shared.login(by, says, LOA2).await.unwrap_or_else(|(code, _)| panic!("{says:?}: {code}"));
            assert_eq!(number_of(&claims), FJORDEN, "{says:?}");
            assert_eq!(claims["https://id.oidc.se/claim/orgName"], "Region Fjorden");
            subs.push(claims["sub"].clone());
        }
    }
    // The provider is named: whichever it proves, without a question.
    let claims =
        shared.login(By::Name, &[(A::OrganisationNumber, GRANVIK)], LOA2).await.map_err(|(code, _)| code);
    let claims = claims.expect("released");
    assert_eq!(number_of(&claims), GRANVIK);
    subs.push(claims["sub"].clone());
    subs.dedup();
    assert_eq!(subs.len(), 1, "one person at one provider is one subject; the organisation leaves beside it");
    // Mis-proofs.
    let wrong: [Says<'_>; 9] = [
        &[],
        &[(A::Mail, "vera@fjorden.localhost")],
        &[(A::OrganisationName, "Region Fjorden")],
        // Neither the one who answers for the machine, nor a stranger.
        &[(A::OrganisationNumber, "2021009903")],
        &[(A::OrganisationNumber, "5560160680")],
        &[(A::OrgAffiliation, "vera@hamnverket.localhost")],
        // One's person with the other's scope, and one's number with the other's scope.
        &[(A::OrgAffiliation, "vera@2321009900"), (A::SubjectId, "vera@granvik.localhost")],
        &[(A::OrganisationNumber, FJORDEN), (A::SubjectId, "vera@granvik.localhost")],
        &[(A::OrganisationNumber, FJORDEN), (A::EmployeeHsaId, "SE2120009903-V1")],
    ];
    for says in wrong {
        for by in [By::Link(FJORDEN), By::Name] {
            assert_eq!(shared.refused(by, says).await, UNPROVEN, "{says:?}");
        }
    }
    // What the proven organisation may not say fails by its own rule; mail of another's is dropped.
    let says = [(A::OrganisationNumber, FJORDEN), (A::Mail, "vera@granvik.localhost")];
    let claims =
        shared.login(By::Link(FJORDEN), &says, LOA2).await.map_err(|(code, _)| code).expect("released");
    assert!(!claims.contains_key("email"), "{claims:?}");
    let line = shared.federation.logs();
    assert!(line.contains("\"organisation\":\"2321009900\""), "the log names the organisation");
    assert!(!line.contains("vera@"), "and nobody else");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_organisation_than_the_chosen_one_is_asked_about_and_never_taken_silently() {
    let shared = start().await;
    let port = shared.federation.port();
    let says: Says<'_> = &[(A::OrganisationNumber, GRANVIK)];
    for by in [By::Link(FJORDEN), By::Hint("vera@fjorden.localhost")] {
        let walk = shared.go(shared.walk(), by).await;
        let sent = shared.post(&walk, says, LOA2).await;
        let (page, _, code) = shared.federation.refused(&walk.browser, port, &sent).await;
        assert_eq!(code, "policy.organisation_not_chosen");
        let text = page.reply.text();
        for words in ["Du valde Region Fjorden", "Fortsätt som Granviks kommun", "support@granvik.localhost"]
        {
            assert!(text.contains(words), "{words} in {text}");
        }
        assert!(
            page.links().iter().any(|link| link.starts_with(&walk.party.redirect_uri)),
            "the way back stays"
        );
        // The same answer again shows the same page, and no more.
        let again = shared.post(&walk, says, LOA2).await;
        assert_eq!(shared.federation.refused(&walk.browser, port, &again).await.2, code);
        // The first button begins the same request again, at the provider, for the proven organisation.
        let mut walk = walk;
        let onward = page.first_button();
        assert!(
            onward.starts_with("/login/") && onward.ends_with(&format!("&organisation={GRANVIK}")),
            "{onward}"
        );
        let page = walk.browser.open(port, &onward).await;
        walk.arrive(port, &page).await;
        let sent = shared.post(&walk, says, LOA2).await;
        let claims = shared.end(walk, sent).await.map_err(|(code, _)| code).expect("released");
        assert_eq!(number_of(&claims), GRANVIK);
    }
    // In silence nobody is asked.
    let mut walk = shared.walk();
    walk.attempt = walk.attempt.clone().with("prompt", "none");
    let walk = shared.go(walk, By::Hint("vera@fjorden.localhost")).await;
    let sent = shared.post(&walk, says, LOA2).await;
    let told = walk.party.returned(&shared.federation.issuer, &walk.attempt, &sent.location());
    assert_eq!(told, Returned::Error("interaction_required".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_organisation_has_its_own_ceiling_and_its_own_services() {
    let shared = start().await;
    let port = shared.federation.port();
    let fjorden: Says<'_> = &[(A::OrganisationNumber, FJORDEN)];
    let skogby: Says<'_> = &[(A::OrganisationNumber, SKOGBY)];
    let high = shared.login(By::Name, fjorden, LOA3).await.map_err(|(code, _)| code).expect("released");
    assert!(high["acr"].as_str().is_some_and(|acr| acr.ends_with("loa3")), "{high:?}");
    // Skogby has opened one service. Journal is not it: it is not offered there, and not reached by a name.
    let walk = shared.walk();
    let choice = walk.browser.open(port, &walk.attempt.path()).await;
    assert!(link(&choice, SKOGBY).is_none() && link(&choice, FJORDEN).is_some());
    let (code, page) = shared.login(By::Name, skogby, LOA2).await.expect_err("closed");
    assert_eq!(code, "policy.connection_closed");
    assert!(page.reply.text().contains("support@skogby.localhost"), "its own help desk");
    let by_hand = walk
        .browser
        .open(port, &format!("{}{SKOGBY}", link(&choice, FJORDEN).expect("a link").trim_end_matches(FJORDEN)))
        .await;
    assert_eq!(shared.federation.refused(&walk.browser, port, &by_hand).await.2, "policy.connection_closed");
    for (level, end) in [(LOA2, Ok(SKOGBY)), (LOA3, Err("policy.assurance_above_ceiling"))] {
        let walk = Walk::between(&shared.federation, &shared.tidbok, &shared.provider, Person::asa());
        let walk = shared.go(walk, By::Link(SKOGBY)).await;
        let sent = shared.post(&walk, skogby, level).await;
        let ended = shared.end(walk, sent).await;
        let ended = ended.as_ref().map(number_of).map_err(|(code, _)| code.as_str());
        assert_eq!(ended, end);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_choice_shows_organisations_with_their_logos() {
    let shared = start().await;
    let port = shared.federation.port();
    let walk = shared.walk();
    let choice = walk.browser.open(port, &walk.attempt.path()).await;
    let text = choice.reply.text();
    // The provider is nobody's employer; it is named once, where Granvik's people have two ways in.
    assert_eq!(text.matches("Samdriften").count(), 1, "{text}");
    let address = text.split("src=\"").skip(1).find_map(|rest| {
        let address = rest.split('"').next()?.replace("&#x2f;", "/");
        address.starts_with("/logo/").then_some(address)
    });
    let address = address.unwrap_or_else(|| panic!("no logo in {text}"));
    let logo = walk.browser.open(port, &address).await.reply;
    assert_eq!(logo.status, 200);
    assert!(logo.body.starts_with(b"\x89PNG"));
    assert_eq!(logo.header(http::header::CONTENT_TYPE), "image/png");
    assert_eq!(logo.header(http::header::X_CONTENT_TYPE_OPTIONS), "nosniff");
    assert!(logo.header(http::header::CACHE_CONTROL).contains("immutable"));
    // Only logos are served: the record has an address of the same form in the store.
    for other in [
        format!("/logo/{}.png", "0".repeat(64)),
        "/logo/..%2fhead.png".to_owned(),
        address.replace(".png", ".svg"),
    ] {
        assert_eq!(walk.browser.open(port, &other).await.reply.status, 404, "{other}");
    }
    let looked = |words: &str| {
        let base = choice.links().into_iter().find_map(|link| Some(link.split_once("/choose")?.0.to_owned()));
        let query = tests::browser::encoded(&[("q", words)]);
        format!("{}?{query}", base.expect("a link"))
    };
    for words in ["Granvik", "gröna staden", "granvik.localhost", "212000-9903"] {
        let page = walk.browser.open(port, &looked(words)).await;
        assert!(link(&page, GRANVIK).is_some(), "{words}");
        assert!(link(&page, FJORDEN).is_none(), "{words}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organisation_that_the_provider_no_longer_speaks_for_is_closed_and_the_others_are_not() {
    let shared = start().await;
    let port = shared.federation.port();
    let fjorden: Says<'_> = &[(A::OrganisationNumber, FJORDEN)];
    // Under way when it happens. The guard holds it, since scopes of people who sign in go with it.
    let walk = shared.go(shared.walk(), By::Link(FJORDEN)).await;
    let _ = shared.federation.command(&[
        "metadata",
        "add",
        "shared.xml",
        "--not-for",
        FJORDEN,
        "--despite-hold",
        "they have their own",
    ]);
    eventually("it is live", Duration::from_secs(20), || async {
        let walk = shared.walk();
        let page = walk.browser.open(port, &walk.attempt.path()).await;
        link(&page, FJORDEN).is_none()
    })
    .await;
    let sent = shared.post(&walk, fjorden, LOA2).await;
    assert_eq!(shared.end(walk, sent).await.expect_err("closed").0, "policy.provider_unknown");
    assert_eq!(shared.refused(By::Name, fjorden).await, UNPROVEN);
    let others = shared.login(By::Link(GRANVIK), &[(A::OrganisationNumber, GRANVIK)], LOA2).await;
    assert_eq!(number_of(&others.map_err(|(code, _)| code).expect("released")), GRANVIK);
}
