//! The ways to sign in that the service offers: each asks the broker for something else, to see what happens.

use serde_json::{Map, Value, json};

use crate::command::demo::{
    cast::{ENTITLED, LOA3, SAMBI_LOA3, SERVICE},
    texts::Text,
};

/// The Swedish service identity (Swedish claims 3.3).
pub(super) const ORG_ID: &str = "https://id.oidc.se/scope/naturalPersonOrgId";
/// Names and date of birth (Swedish claims 3.1).
pub(super) const PERSON_INFO: &str = "https://id.oidc.se/scope/naturalPersonInfo";
/// Personnummer or samordningsnummer (Swedish claims 3.2).
pub(super) const PERSON_NUMBER: &str = "https://id.oidc.se/scope/naturalPersonNumber";
/// Who authenticated (Swedish claims 2.3.5).
pub(super) const AUTHN_PROVIDER: &str = "https://id.oidc.se/claim/authnProvider";
const ORG_UNIT: &str = "https://id.oidc.se/claim/orgUnit";
const HSA_ID: &str = "employeeHsaId";

/// The scopes that the service is registered with.
pub(in crate::command::demo) const SCOPES: [&str; 5] =
    ["openid", "email", ORG_ID, PERSON_INFO, PERSON_NUMBER];

/// A way to sign in.
#[derive(Debug)]
pub(super) struct Try {
    /// Its name in addresses.
    pub(super) key: &'static str,
    /// What the link says.
    pub(super) label: Text,
    /// What one may expect.
    pub(super) expect: Text,
    /// `scope`.
    pub(super) scopes: &'static [&'static str],
    /// `prompt`.
    pub(super) prompt: Option<&'static str>,
    /// The only levels that will do; empty: any.
    pub(super) levels: &'static [&'static str],
}

const UNCERTIFIED_LOA3: &str = "http://id.swedenconnect.se/loa/1.0/uncertified-loa3";
const LOA4: &str = "http://id.elegnamnden.se/loa/1.0/loa4";
const USUAL: &[&str] = &["openid", ORG_ID, "email"];

/// Every way; the first is the usual one.
pub(super) const TRIES: [Try; 6] = [
    Try {
        key: "usual",
        label: Text { sv: "Logga in som vanligt", en: "Sign in as usual" },
        expect: Text {
            sv: "Tjänsten ber om namn, arbetsgivare, tjänste-identitet, e-post, enhet och HSA-id.",
            en: "The service asks for name, employer, service identity, e-mail, unit and HSA-id.",
        },
        scopes: USUAL,
        prompt: None,
        levels: &[],
    },
    Try {
        key: "more",
        label: Text {
            sv: "Be om mer än tjänsten har rätt till",
            en: "Ask for more than the service is entitled to",
        },
        expect: Text {
            sv: "Tjänsten ber också om personnummer och födelsedatum. De kommer inte fram.",
            en: "The service also asks for the personal number and the date of birth. They do not arrive.",
        },
        scopes: &["openid", ORG_ID, PERSON_INFO, PERSON_NUMBER, "email"],
        prompt: None,
        levels: &[],
    },
    Try {
        key: "level3",
        label: Text { sv: "Kräv tillitsnivå 3", en: "Require assurance level 3" },
        expect: Text {
            sv: "Går bra för de flesta. Eva Nurmi i Granvik har reservkort på nivå 2 och nekas.",
            en: "Works for most. Eva Nurmi in Granvik has a spare card of level 2 and is refused.",
        },
        scopes: USUAL,
        prompt: None,
        levels: &[UNCERTIFIED_LOA3, SAMBI_LOA3, LOA3],
    },
    Try {
        key: "level4",
        label: Text { sv: "Kräv tillitsnivå 4", en: "Require assurance level 4" },
        expect: Text {
            sv: "Ingen i demon når dit. Spårvidd säger nej i stället för att lova för mycket.",
            en: "Nobody in the demo reaches it. Spårvidd says no rather than promise too much.",
        },
        scopes: USUAL,
        prompt: None,
        levels: &[LOA4],
    },
    Try {
        key: "anew",
        label: Text { sv: "Kräv en ny legitimering", en: "Require a new authentication" },
        expect: Text {
            sv: "Arbetsgivaren får inte återanvända en tidigare inloggning (prompt=login).",
            en: "The employer may not reuse an earlier sign-in (prompt=login).",
        },
        scopes: USUAL,
        prompt: Some("login"),
        levels: &[],
    },
    Try {
        key: "silent",
        label: Text { sv: "Försök utan att visa något", en: "Try without showing anything" },
        expect: Text {
            sv: "Ingen sida får visas (prompt=none), så svaret blir att en människa behövs.",
            en: "No page may be shown (prompt=none), so the answer is that a person is needed.",
        },
        scopes: USUAL,
        prompt: Some("none"),
        levels: &[],
    },
];

impl Try {
    /// The way of that name; the usual one for any other.
    pub(super) fn of(key: Option<&str>) -> &'static Self {
        let [usual, ..] = &TRIES;
        TRIES.iter().find(|way| Some(way.key) == key).unwrap_or(usual)
    }

    /// The `claims` parameter (OIDC Core 5.5).
    pub(super) fn claims(&self) -> Value {
        let mut id_token = Map::new();
        id_token.insert(AUTHN_PROVIDER.to_owned(), Value::Null);
        if !self.levels.is_empty() {
            id_token.insert("acr".to_owned(), json!({ "essential": true, "values": self.levels }));
        }
        json!({ "id_token": id_token, "userinfo": { ORG_UNIT: null, HSA_ID: null } })
    }

    /// Every claim about the person that it asks for, with what asked for it.
    pub(super) fn asked(&self) -> Vec<(&'static ClaimText, &'static str)> {
        let mut asked: Vec<(&ClaimText, &str)> = Vec::new();
        for scope in self.scopes {
            for claim in claims_of(scope) {
                if let Some(text) = CLAIMS.iter().find(|text| text.claim == *claim)
                    && !asked.iter().any(|(known, _)| known.claim == *claim)
                {
                    asked.push((text, scope));
                }
            }
        }
        for claim in [ORG_UNIT, HSA_ID] {
            if let Some(text) = CLAIMS.iter().find(|text| text.claim == claim) {
                asked.push((text, "claims"));
            }
        }
        asked
    }
}

/// What each scope stands for (Swedish claims 3, OIDC Core 5.4).
fn claims_of(scope: &str) -> &'static [&'static str] {
    match scope {
        ORG_ID => &[
            "name",
            "https://id.oidc.se/claim/orgName",
            "https://id.oidc.se/claim/orgNumber",
            "https://id.oidc.se/claim/orgAffiliation",
        ],
        PERSON_INFO => &["family_name", "given_name", "middle_name", "name", "birthdate"],
        PERSON_NUMBER => &[
            "https://id.oidc.se/claim/personalIdentityNumber",
            "https://id.oidc.se/claim/coordinationNumber",
        ],
        "email" => &["email"],
        _ => &[],
    }
}

/// What a claim is, for people.
#[derive(Debug)]
pub(super) struct ClaimText {
    /// Its name.
    pub(super) claim: &'static str,
    /// What it is called.
    pub(super) label: Text,
    /// Where the broker has it from.
    pub(super) origin: Text,
    /// The broker's key of it, by which entitlements are written.
    key: &'static str,
}

impl ClaimText {
    /// Why it did not come.
    pub(super) fn absence(&self) -> Text {
        if ENTITLED.contains(&self.key) {
            return match self.key {
                "employee_hsa_id" => Text {
                    sv: "Din arbetsgivare skickade inget. Bara regionens personal har HSA-id i demon.",
                    en: "Your employer sent none. Only the region's staff have HSA-ids in the demo.",
                },
                _ => Text {
                    sv: "Din arbetsgivare skickade inget, eller så finns det inget att skicka.",
                    en: "Your employer sent none, or there is none to send.",
                },
            };
        }
        Text {
            sv: "Tjänstens ägare har inte rätt till det i federationen. Spårvidd lämnar det aldrig vidare, vad arbetsgivaren än skickar.",
            en: "The service's owner is not entitled to it in the federation. Spårvidd never passes it on, whatever the employer sends.",
        }
    }
}

/// The claims about a person that the service knows of.
pub(super) const CLAIMS: [ClaimText; 13] = [
    ClaimText {
        claim: "name",
        label: Text { sv: "Namn", en: "Name" },
        origin: Text {
            sv: "Ur arbetsgivarens attribut displayName.",
            en: "From the employer's attribute displayName.",
        },
        key: "display_name",
    },
    ClaimText {
        claim: "given_name",
        label: Text { sv: "Förnamn", en: "Given name" },
        origin: Text {
            sv: "Ur arbetsgivarens attribut givenName.",
            en: "From the employer's attribute givenName.",
        },
        key: "given_name",
    },
    ClaimText {
        claim: "family_name",
        label: Text { sv: "Efternamn", en: "Family name" },
        origin: Text { sv: "Ur arbetsgivarens attribut sn.", en: "From the employer's attribute sn." },
        key: "surname",
    },
    ClaimText {
        claim: "middle_name",
        label: Text { sv: "Mellannamn", en: "Middle name" },
        origin: Text {
            sv: "Ur arbetsgivarens attribut middleName.",
            en: "From the employer's attribute middleName.",
        },
        key: "middle_name",
    },
    ClaimText {
        claim: "birthdate",
        label: Text { sv: "Födelsedatum", en: "Date of birth" },
        origin: Text {
            sv: "Ur arbetsgivarens attribut dateOfBirth.",
            en: "From the employer's attribute dateOfBirth.",
        },
        key: "date_of_birth",
    },
    ClaimText {
        claim: "email",
        label: Text { sv: "E-post", en: "E-mail" },
        origin: Text {
            sv: "Ur arbetsgivarens attribut mail. Adressen ligger i en domän som arbetsgivaren har visat är dess egen.",
            en: "From the employer's attribute mail. The address is in a domain that the employer has shown to be its own.",
        },
        key: "mail",
    },
    ClaimText {
        claim: "https://id.oidc.se/claim/orgName",
        label: Text { sv: "Arbetsgivare", en: "Employer" },
        origin: Text {
            sv: "Ur federationens register, inte ur det som arbetsgivaren skickade.",
            en: "From the federation's registry, not from what the employer sent.",
        },
        key: "organisation_name",
    },
    ClaimText {
        claim: "https://id.oidc.se/claim/orgNumber",
        label: Text { sv: "Arbetsgivarens organisationsnummer", en: "The employer's organisation number" },
        origin: Text {
            sv: "Ur federationens register, inte ur det som arbetsgivaren skickade.",
            en: "From the federation's registry, not from what the employer sent.",
        },
        key: "organisation_number",
    },
    ClaimText {
        claim: "https://id.oidc.se/claim/orgAffiliation",
        label: Text { sv: "Tjänste-identitet", en: "Service identity" },
        origin: Text {
            sv: "Ur arbetsgivarens attribut orgAffiliation. Delen efter @ är arbetsgivarens eget nummer; något annat hade nekats.",
            en: "From the employer's attribute orgAffiliation. The part after the @ is the employer's own number; another would have been refused.",
        },
        key: "org_affiliation",
    },
    ClaimText {
        claim: ORG_UNIT,
        label: Text { sv: "Enhet", en: "Unit" },
        origin: Text { sv: "Ur arbetsgivarens attribut ou.", en: "From the employer's attribute ou." },
        key: "organisation_unit",
    },
    ClaimText {
        claim: HSA_ID,
        label: Text { sv: "HSA-id", en: "HSA-id" },
        origin: Text {
            sv: "Ur arbetsgivarens attribut employeeHsaId. Det börjar med ett prefix som regionen äger; något annat hade nekats.",
            en: "From the employer's attribute employeeHsaId. It begins with a prefix that the region owns; another would have been refused.",
        },
        key: "employee_hsa_id",
    },
    ClaimText {
        claim: "https://id.oidc.se/claim/personalIdentityNumber",
        label: Text { sv: "Personnummer", en: "Personal identity number" },
        origin: Text {
            sv: "Ur arbetsgivarens attribut personalIdentityNumber.",
            en: "From the employer's attribute personalIdentityNumber.",
        },
        key: "personal_identity_number",
    },
    ClaimText {
        claim: "https://id.oidc.se/claim/coordinationNumber",
        label: Text { sv: "Samordningsnummer", en: "Coordination number" },
        origin: Text {
            sv: "Ur arbetsgivarens attribut personalIdentityNumber.",
            en: "From the employer's attribute personalIdentityNumber.",
        },
        key: "coordination_number",
    },
];

/// What asked for a claim, said to a person.
pub(super) fn asked_by(asker: &str) -> (String, String) {
    match asker {
        "claims" => (
            "Begärt för sig, med parametern claims.".to_owned(),
            "Asked for by itself, with the claims parameter.".to_owned(),
        ),
        scope => (format!("Begärt med scope {scope}."), format!("Asked for with the scope {scope}.")),
    }
}

/// The service's `client_id`.
pub(super) const CLIENT_ID: &str = SERVICE.client_id;

#[cfg(test)]
mod tests {
    use broker_core::attribute::AttributeName;

    use super::{CLAIMS, SCOPES, TRIES, Try, claims_of};

    #[test]
    fn every_claim_that_is_asked_for_has_a_text() {
        for scope in SCOPES {
            for claim in claims_of(scope) {
                assert!(CLAIMS.iter().any(|text| text.claim == *claim), "{claim}");
            }
        }
        assert!(CLAIMS.iter().all(|text| AttributeName::from_key(text.key).is_some()));
    }

    #[test]
    fn nothing_is_asked_for_twice_and_only_registered_scopes_are() {
        for way in &TRIES {
            assert!(way.scopes.iter().all(|scope| SCOPES.contains(scope)));
            let asked = way.asked();
            for (at, (text, _)) in asked.iter().enumerate() {
                assert!(
                    asked.iter().skip(at + 1).all(|(other, _)| other.claim != text.claim),
                    "{}",
                    text.claim
                );
            }
        }
    }

    #[test]
    fn an_unknown_way_is_the_usual_one() {
        assert_eq!(Try::of(Some("<script>")).key, "usual");
        assert_eq!(Try::of(None).key, "usual");
        assert_eq!(Try::of(Some("level4")).key, "level4");
    }
}
