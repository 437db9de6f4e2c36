//! A registered provider that lies. Fjorden says what only Granvik may say, in every way that we could think of; nothing of it is in what leaves
//! for the relying party, in the ID token or from userinfo. Beside each try stands its twin: Granvik says it, and it leaves.
//!
//! Neighbours: `broker_core::release::authority` has the rules and a test for each; `refuse.rs` what is refused for its form.

use std::{fs, time::Duration};

use broker_core::attribute::AttributeName as A;
use broker_saml::{attributes::to_saml, idp::AssertionToIssue};
use serde_json::{Map, Value};
use tests::{
    federation::{Federation, Plan, eventually},
    person::Person,
    provider::{LOA3, Provider},
    relying_party::RelyingParty,
    walk::{Next, Walk},
};

const SAMBI3: &str = "http://id.sambi.se/loa/loa3";
const LOA4: &str = "http://id.elegnamnden.se/loa/1.0/loa4";
const EIDAS_HIGH: &str = "http://id.elegnamnden.se/loa/1.0/eidas-high";
const GRANVIK: &str = "https://idp.granvik.localhost/saml";
const AFFILIATION: &str = "https://id.oidc.se/claim/orgAffiliation";

/// Attributes beyond scopes, HSA-ids and mail that Granvik's record grants and Fjorden's does not.
const GRANTED: &[A] = &[
    A::PersonalIdentityNumber,
    A::CoordinationNumber,
    A::PreviousPersonalIdentityNumber,
    A::DateOfBirth,
    A::Gender,
    A::Street,
    A::PlaceOfBirth,
    A::CountryOfCitizenship,
    A::UserCertificate,
    A::HealthCareProviderName,
    A::HealthCareProfessionalLicence,
    A::PersonalPrescriptionCode,
];

/// Claims that the relying party asks for by name, beside those of its scopes.
const CLAIMS: &[&str] = &[
    "birthdate",
    "gender",
    "address",
    "place_of_birth",
    "nationalities",
    "https://id.oidc.se/claim/personalIdentityNumber",
    "https://id.oidc.se/claim/coordinationNumber",
    "https://id.oidc.se/claim/previousCoordinationNumber",
    "https://id.oidc.se/claim/userCertificate",
    "https://id.oidc.se/claim/authnProvider",
    "employeeHsaId",
    "commissionHsaId",
    "commissionName",
    "commissionRight",
    "healthCareProviderHsaId",
    "healthCareProviderName",
    "healthcareProfessionalLicense",
    "personalPrescriptionCode",
];

/// What comes of the rogue's try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// The login fails with this code.
    Refused(&'static str),
    /// The login goes on without what was tried.
    Without,
}

const OUTSIDE: End = End::Refused("policy.attribute_outside_authority");
const ABOVE: End = End::Refused("policy.assurance_above_ceiling");

struct Try {
    what: &'static str,
    /// Set in place of what the person's own directory says.
    says: &'static [(A, &'static str)],
    /// What the twin says, where it is not the same.
    twin: Option<&'static [(A, &'static str)]>,
    /// What is changed besides attributes.
    more: fn(&mut AssertionToIssue),
    end: End,
    /// The claim that the twin is seen in, and a piece of its value: what must not leave for the rogue. `None`: there is no such claim, and
    /// that the twin's login goes well is all that can be seen.
    seen: Option<(&'static str, &'static str)>,
}

const fn saying(
    what: &'static str,
    says: &'static [(A, &'static str)],
    end: End,
    seen: (&'static str, &'static str),
) -> Try {
    Try { what, says, twin: None, more: nothing, end, seen: Some(seen) }
}

fn nothing(_: &mut AssertionToIssue) {}

fn tries() -> Vec<Try> {
    use End::Without;
    vec![
        saying(
            "orgAffiliation by number",
            &[(A::OrgAffiliation, "vera@2120009903")],
            OUTSIDE,
            (AFFILIATION, "vera@2120009903"),
        ),
        saying(
            "orgAffiliation by domain",
            &[(A::OrgAffiliation, "vera@granvik.localhost")],
            OUTSIDE,
            (AFFILIATION, "vera@granvik.localhost"),
        ),
        saying(
            "orgAffiliation in capitals",
            &[(A::OrgAffiliation, "vera@GRANVIK.Localhost")],
            OUTSIDE,
            (AFFILIATION, "vera@granvik.localhost"),
        ),
        saying(
            "orgAffiliation in Unicode",
            &[(A::OrgAffiliation, "vera@räksmörgås.localhost")],
            OUTSIDE,
            (AFFILIATION, "vera@xn--rksmrgs-5wao1o.localhost"),
        ),
        saying(
            "orgAffiliation in Punycode",
            &[(A::OrgAffiliation, "vera@xn--rksmrgs-5wao1o.localhost")],
            OUTSIDE,
            (AFFILIATION, "vera@xn--rksmrgs-5wao1o.localhost"),
        ),
        Try {
            twin: Some(&[(A::OrgAffiliation, "vera@granvik.localhost@2120009903")]),
            ..saying(
                "orgAffiliation before the last @",
                &[(A::OrgAffiliation, "vera@2120009903@2321009900")],
                OUTSIDE,
                (AFFILIATION, "vera@"),
            )
        },
        Try {
            twin: Some(&[(A::OrgAffiliation, "omli@2120009903"), (A::OrgAffiliation, "vera@2120009903")]),
            ..saying(
                "one foreign orgAffiliation among own",
                &[(A::OrgAffiliation, "omli@2321009900"), (A::OrgAffiliation, "vera@2120009903")],
                OUTSIDE,
                (AFFILIATION, "vera@2120009903"),
            )
        },
        Try {
            twin: Some(&[(A::OrgAffiliation, "vera@2120009903")]),
            ..saying(
                "orgAffiliation with an at that is one only after decoding",
                &[(A::OrgAffiliation, "vera%402120009903@2321009900")],
                OUTSIDE,
                (AFFILIATION, "vera"),
            )
        },
        Try {
            seen: Some(("sub", "SUB")),
            ..saying("subject-id", &[(A::SubjectId, "asabergv0@granvik.localhost")], OUTSIDE, ("", ""))
        },
        Try {
            seen: None,
            ..saying("pairwise-id", &[(A::PairwiseId, "vera@granvik.localhost")], OUTSIDE, ("", ""))
        },
        Try {
            seen: None,
            ..saying(
                "eduPersonPrincipalName",
                &[(A::EduPersonPrincipalName, "vera@granvik.localhost")],
                OUTSIDE,
                ("", ""),
            )
        },
        saying(
            "organisation number",
            &[(A::OrganisationNumber, "2120009903")],
            OUTSIDE,
            ("https://id.oidc.se/claim/orgNumber", "2120009903"),
        ),
        saying(
            "organisation number with a hyphen",
            &[(A::OrganisationNumber, "212000-9903")],
            OUTSIDE,
            ("https://id.oidc.se/claim/orgNumber", "2120009903"),
        ),
        saying(
            "organisation name",
            &[(A::OrganisationName, "Granviks kommun")],
            Without,
            ("https://id.oidc.se/claim/orgName", "Granviks kommun"),
        ),
        saying(
            "employeeHsaId",
            &[(A::EmployeeHsaId, "SE2120009903-V1")],
            OUTSIDE,
            ("employeeHsaId", "SE2120009903-V1"),
        ),
        saying(
            "employeeHsaId in small letters",
            &[(A::EmployeeHsaId, "se2120009903-v1")],
            OUTSIDE,
            ("employeeHsaId", "se2120009903-v1"),
        ),
        saying(
            "commissionHsaId",
            &[(A::CommissionHsaId, "SE2120009903-C1")],
            OUTSIDE,
            ("commissionHsaId", "SE2120009903-C1"),
        ),
        Try {
            twin: Some(&[(A::CommissionHsaId, "SE2120009903-C1"), (A::CommissionName, "Vård i Granvik")]),
            ..saying(
                "commissionName without a commission",
                &[(A::CommissionName, "Vård i Granvik")],
                Without,
                ("commissionName", "Vård i Granvik"),
            )
        },
        saying(
            "commissionRight of a foreign commission",
            &[(A::CommissionHsaId, "SE2120009903-C1"), (A::CommissionRight, "Läsa;VIS;VE")],
            OUTSIDE,
            ("commissionRight", "Läsa;VIS;VE"),
        ),
        saying(
            "care provider",
            &[(A::HealthCareProviderHsaId, "SE2120009903-P1")],
            OUTSIDE,
            ("healthCareProviderHsaId", "SE2120009903-P1"),
        ),
        saying(
            "name of the care provider",
            &[(A::HealthCareProviderName, "Granviks vård")],
            Without,
            ("healthCareProviderName", "Granviks vård"),
        ),
        saying(
            "licence",
            &[(A::HealthCareProfessionalLicence, "LK")],
            Without,
            ("healthcareProfessionalLicense", "LK"),
        ),
        saying(
            "prescription code",
            &[(A::PersonalPrescriptionCode, "9876543")],
            Without,
            ("personalPrescriptionCode", "9876543"),
        ),
        saying("mail", &[(A::Mail, "vera@granvik.localhost")], Without, ("email", "vera@granvik.localhost")),
        Try {
            twin: Some(&[(A::Mail, "vera@granvik.localhost")]),
            ..saying(
                "mail with another inside",
                &[(A::Mail, "\"omli@fjorden.localhost\"@granvik.localhost")],
                Without,
                ("email", "@granvik.localhost"),
            )
        },
        Try {
            twin: Some(&[(A::Mail, "vera@granvik.localhost")]),
            ..saying(
                "mail with two ends",
                &[(A::Mail, "vera@granvik.localhost@fjorden.localhost")],
                Without,
                ("email", "vera@granvik.localhost"),
            )
        },
        saying(
            "personal number",
            &[(A::PersonalIdentityNumber, "191212121212")],
            Without,
            ("https://id.oidc.se/claim/personalIdentityNumber", "191212121212"),
        ),
        saying(
            "coordination number as a personal number",
            &[(A::PersonalIdentityNumber, "197010631237")],
            Without,
            ("https://id.oidc.se/claim/coordinationNumber", "197010631237"),
        ),
        saying(
            "earlier number",
            &[(A::PreviousPersonalIdentityNumber, "197010911233")],
            Without,
            ("https://id.oidc.se/claim/previousCoordinationNumber", "197010911233"),
        ),
        saying("date of birth", &[(A::DateOfBirth, "1912-12-12")], Without, ("birthdate", "1912-12-12")),
        saying("gender", &[(A::Gender, "F")], Without, ("gender", "female")),
        saying("street", &[(A::Street, "Storgatan 1")], Without, ("address", "Storgatan 1")),
        saying("place of birth", &[(A::PlaceOfBirth, "Granvik")], Without, ("place_of_birth", "Granvik")),
        saying("citizenship", &[(A::CountryOfCitizenship, "NO")], Without, ("nationalities", "NO")),
        saying(
            "certificate",
            &[(A::UserCertificate, "MIIBcert")],
            Without,
            ("https://id.oidc.se/claim/userCertificate", "MIIBcert"),
        ),
        Try {
            more: |answer| answer.authn_context = SAMBI3.into(),
            ..saying("a level of another vocabulary", &[], ABOVE, ("acr", SAMBI3))
        },
        Try {
            more: |answer| answer.authn_context = EIDAS_HIGH.into(),
            ..saying(
                "an eIDAS level",
                &[],
                ABOVE,
                ("acr", "http://id.swedenconnect.se/loa/1.0/uncertified-eidas-high"),
            )
        },
        Try {
            more: |answer| answer.authn_context = LOA4.into(),
            seen: None,
            ..saying("a level above its ceiling", &[], ABOVE, ("", ""))
        },
        Try {
            more: |answer| answer.authorities = vec![GRANVIK.into()],
            ..saying(
                "another provider as its authority",
                &[],
                Without,
                ("https://id.oidc.se/claim/authnProvider", GRANVIK),
            )
        },
        Try {
            more: |answer| answer.issuer = GRANVIK.into(),
            ..saying(
                "another provider's name",
                &[],
                End::Refused("provider.issuer_mismatch"),
                ("https://id.oidc.se/claim/authnProvider", GRANVIK),
            )
        },
    ]
}

/// The claims of both tokens.
type Told = Vec<Map<String, Value>>;

/// One login in which `provider` says `says` of `person`: what leaves, or the code of the refusal.
async fn login(
    federation: &Federation,
    provider: &Provider,
    person: Person,
    says: &[(A, &str)],
    more: fn(&mut AssertionToIssue),
) -> Result<Told, String> {
    let port = federation.port();
    let mut walk = Walk::between(federation, federation.party(), provider, person).naming_the_provider();
    let wanted: Map<String, Value> = CLAIMS.iter().map(|name| ((*name).to_owned(), Value::Null)).collect();
    walk.attempt = walk
        .attempt
        .with("claims", &serde_json::json!({ "userinfo": wanted, "id_token": wanted }).to_string());
    walk.until("assert", port).await;
    let mut attributes = walk.person.attributes();
    for (name, _) in says {
        attributes.set(*name, Vec::new());
    }
    for (name, value) in says {
        attributes.add(*name, *value);
    }
    let mut answer = walk.answer();
    answer.attributes = to_saml(&attributes);
    more(&mut answer);
    let form = provider.issue(walk.asked.as_ref().expect("the provider was asked"), &answer);
    let sent = walk.browser.submit(port, &form).await;
    if !sent.location().starts_with(&walk.party.redirect_uri) {
        let (page, _, code) = federation.refused(&walk.browser, port, &sent).await;
        assert!(!page.reply.text().contains("code="), "nothing is handed out");
        return Err(code);
    }
    // The same answer again would be a second use: go on from where it led.
    match walk.party.returned(&federation.issuer, &walk.attempt, &sent.location()) {
        tests::relying_party::Returned::Code(code) => walk.next = Next::Redeem(code),
        tests::relying_party::Returned::Error(error) => return Err(error),
    }
    let outcome = walk.finish(port).await;
    Ok(vec![outcome.id_token, outcome.userinfo])
}

/// An employee of Fjorden's, as Fjorden's directory has him.
fn of_fjorden() -> Person {
    let mut person = Person::numbered(7);
    person.org_affiliation = "omli@2321009900".into();
    person.subject_id = "omli@fjorden.localhost".into();
    person.mail = "omli@fjorden.localhost".into();
    person
}

/// Widens Granvik's record, and lets the relying party have all that is tried, so that the bound is the provider's authority alone.
async fn prepare(federation: &Federation) {
    let write =
        |name: &str, text: &str| fs::write(federation.folder.path().join(name), text).expect("a file");
    let quoted = |names: &[A]| names.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
    write(
        "granvik.toml",
        &format!(
            "number = \"2120009903\"\nname = {{ sv = \"Granviks kommun\" }}\n\
             domains = [\"granvik.localhost\", \"räksmörgås.localhost\"]\nscopes = [\"granvik.localhost\", \"räksmörgås.localhost\"]\n\
             hsa_prefixes = [\"SE2120009903-\"]\nceiling = [\"{LOA4}\", \"{SAMBI3}\", \"{EIDAS_HIGH}\"]\nmay_assert = [{}]\n\
             support = {{ email = \"support@granvik.localhost\" }}\n",
            quoted(GRANTED)
        ),
    );
    write(
        "fjorden.toml",
        &format!(
            "number = \"2321009900\"\nname = {{ sv = \"Region Fjorden\" }}\ndomains = [\"fjorden.localhost\"]\n\
             scopes = [\"fjorden.localhost\"]\nhsa_prefixes = [\"SE2321009900-\"]\nceiling = [\"{LOA3}\"]\n\
             support = {{ email = \"support@fjorden.localhost\" }}\n"
        ),
    );
    write(
        "hamnverket.toml",
        &format!(
            "number = \"2021009903\"\nname = {{ sv = \"Hamnverket\" }}\ndomains = [\"hamnverket.localhost\"]\nentitled = [{}]\n\
             support = {{ email = \"support@hamnverket.localhost\" }}\n",
            quoted(A::ALL)
        ),
    );
    for record in ["granvik.toml", "fjorden.toml", "hamnverket.toml"] {
        let _ = federation.command(&["organisation", "add", record]);
    }
    let value = |level: &str| format!("<saml:AttributeValue>{level}</saml:AttributeValue>");
    let levels = [LOA3, LOA4, SAMBI3, EIDAS_HIGH].map(value).concat();
    write("granvik.xml", &federation.granvik.metadata().replace(&value(LOA3), &levels));
    let _ = federation.command(&["metadata", "add", "granvik.xml", "--organisation", "2120009903"]);
    let party = format!("{}.json", federation.party().client_id);
    let mut words = vec!["metadata", "add", party.as_str(), "--organisation", "2021009903"];
    for name in A::ALL {
        words.extend(["--attribute", name.key()]);
    }
    let _ = federation.command(&words);
    // It asks for more than when it joined, so the employers agree anew.
    for employer in ["2120009903", "2321009900"] {
        let service = federation.party().client_id.as_str();
        let _ = federation.command(&["connection", "agree", service, "--organisation", employer]);
    }
    eventually("what was registered is live", Duration::from_secs(20), || async {
        let says = [(A::EmployeeHsaId, "SE2120009903-V1"), (A::DateOfBirth, "1912-12-12")];
        let told = login(federation, &federation.granvik, Person::asa(), &says, |answer| {
            answer.authn_context = SAMBI3.into();
        });
        told.await.is_ok_and(|told| {
            told.iter().any(|claims| claims.contains_key("employeeHsaId") && claims.contains_key("birthdate"))
        })
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_rogue_provider_says_of_others_never_leaves() {
    let plan = Plan {
        notice: false,
        ec: true,
        relying_parties: vec![RelyingParty::with_basic("journal")],
        ..Plan::default()
    };
    let federation = Federation::start(plan).await;
    prepare(&federation).await;
    let genuine =
        login(&federation, &federation.granvik, Person::asa(), &[], nothing).await.expect("a genuine login");
    let sub = genuine[0]["sub"].as_str().expect("a text").to_owned();
    let all = tries();
    for one in &all {
        // The twin first: what Granvik says of its own leaves.
        let says = one.twin.unwrap_or(one.says);
        let twin = if one.what == "another provider's name" { nothing } else { one.more };
        let twin = if one.what == "another provider as its authority" { nothing } else { twin };
        let told = login(&federation, &federation.granvik, Person::asa(), says, twin)
            .await
            .unwrap_or_else(|code| panic!("{}: the twin is refused with {code}", one.what));
        let needle = one.seen.map(|(_, value)| if value == "SUB" { sub.as_str() } else { value });
        if let (Some((claim, _)), Some(needle)) = (one.seen, needle) {
            let seen = told
                .iter()
                .filter_map(|claims| claims.get(claim))
                .any(|value| value.to_string().contains(needle));
            assert!(seen, "{}: the twin's {claim} is not {needle}", one.what);
        }
        // And what Fjorden says of Granvik's does not.
        let told = login(&federation, &federation.fjorden, of_fjorden(), one.says, one.more).await;
        match (&told, one.end) {
            (Err(code), End::Refused(expected)) => assert_eq!(code, expected, "{}", one.what),
            (Ok(told), End::Without) => {
                let told = serde_json::to_string(told).expect("JSON");
                assert!(
                    told.contains("Region Fjorden") && told.contains("2321009900"),
                    "{}: {told}",
                    one.what
                );
                let needle = needle.expect("what must not leave");
                assert!(!told.contains(needle), "{}: {needle} leaves", one.what);
                assert!(!told.contains(&sub), "{}", one.what);
            }
            (told, expected) => panic!("{}: {told:?} in place of {expected:?}", one.what),
        }
    }
    // The rogue's own people still sign in.
    let own =
        login(&federation, &federation.fjorden, of_fjorden(), &[], nothing).await.expect("Fjorden's own");
    assert_eq!(own[0][AFFILIATION], "omli@2321009900");
    println!("{} tries by a registered provider, none of them left; {0} twins did", all.len());
    assert!(all.len() >= 20);
}

/// A provider that speaks for two organisations is a rogue with two names: it may say of each what is that one's, and nothing of both, of a third, or
/// by mail.
#[tokio::test(flavor = "multi_thread")]
async fn a_provider_of_two_organisations_mixes_nothing() {
    let plan = Plan { notice: false, ec: true, ..Plan::default() };
    let federation = Federation::start(plan).await;
    prepare(&federation).await;
    // Fjorden runs the machine; Hamnverket's people sign in there, too.
    fs::write(federation.folder.path().join("fjorden.xml"), federation.fjorden.metadata()).expect("a file");
    let _ = federation.command(&["metadata", "add", "fjorden.xml", "--for", "2021009903"]);
    let said = |says: &'static [(A, &'static str)]| {
        let mut person = of_fjorden();
        // Nothing of the person proves anything by itself: what they are known by has a scope, and is set by each try.
        person.mail = "omli@granvik.localhost".into();
        login(&federation, &federation.fjorden, person, says, nothing)
    };
    let hamnverket: &[(A, &str)] = &[
        (A::OrgAffiliation, "vera@2021009903"),
        (A::SubjectId, "vera@2021009903"),
        (A::OrganisationNumber, "2021009903"),
    ];
    eventually("it speaks for both", Duration::from_secs(20), || async {
        // Named, so that nothing was chosen: the choice shows two organisations now.
        said(hamnverket).await.is_ok()
    })
    .await;
    const UNPROVEN: End = End::Refused("policy.organisation_unproven");
    type Said = &'static [(A, &'static str)];
    let tries: [(&str, Said, End); 6] = [
        ("a third organisation's number", &[(A::OrganisationNumber, "2120009903")], UNPROVEN),
        ("a third organisation's scope", &[(A::OrgAffiliation, "vera@granvik.localhost")], UNPROVEN),
        ("one's person with the other's scope", &[(A::SubjectId, "omli@2021009903")], UNPROVEN),
        (
            "one's number with the other's scope",
            &[(A::OrganisationNumber, "2021009903"), (A::OrgAffiliation, "omli@fjorden.localhost")],
            UNPROVEN,
        ),
        ("an HSA-id of a third's", &[(A::EmployeeHsaId, "SE2120009903-V1")], UNPROVEN),
        ("its own, with a third's mail", &[(A::OrganisationNumber, "2321009900")], End::Without),
    ];
    for (what, says, end) in tries {
        match (said(says).await, end) {
            (Err(code), End::Refused(expected)) => assert_eq!(code, expected, "{what}"),
            (Ok(told), End::Without) => {
                let told = serde_json::to_string(&told).expect("JSON");
                assert!(told.contains("2321009900") && !told.contains("granvik"), "{what}: {told}");
            }
            (told, expected) => panic!("{what}: {told:?} in place of {expected:?}"),
        }
    }
}
