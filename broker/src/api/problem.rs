//! What is said when a request is not done: RFC 9457, Problem Details for HTTP APIs. The type is stable and can be fetched, the detail is in the
//! language that was asked for, and the reference is found in the log.

use http::{HeaderValue, StatusCode, header};
use metadata::lint::Tongue;
use schemars::JsonSchema;
use serde::Serialize;

use super::answer::Finding;

/// One kind of problem. The last word of its type is its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kind {
    /// The stable name, as it stands at the end of `type`. Never change one.
    pub(super) name: &'static str,
    /// The status of the answer.
    pub(super) status: u16,
    /// In Swedish.
    pub(super) sv: &'static Words,
    /// In English.
    pub(super) en: &'static Words,
}

/// What a kind of problem says in one language. `{}` stands for what the case adds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Words {
    /// The same for all of the kind.
    pub(super) title: &'static str,
    /// What happened, and what to do.
    pub(super) detail: &'static str,
}

macro_rules! kinds {
    ($($constant:ident = $status:literal $name:literal
        sv: $sv_title:literal $sv_detail:literal
        en: $en_title:literal $en_detail:literal;)*) => {
        impl Kind {
            $(pub(super) const $constant: Self = Self {
                name: $name,
                status: $status,
                sv: &Words { title: $sv_title, detail: $sv_detail },
                en: &Words { title: $en_title, detail: $en_detail },
            };)*

            /// Every kind, in the order of the documentation.
            pub(super) const ALL: &[Self] = &[$(Self::$constant,)*];
        }
    };
}

kinds! {
    MALFORMED = 400 "malformed"
        sv: "Begäran går inte att läsa" "{}"
        en: "The request cannot be read" "{}";
    PARAMETER = 400 "parameter"
        sv: "En parameter är fel" "Parametern {}. Se /api/v1/openapi.json."
        en: "A parameter is wrong" "The parameter {}. See /api/v1/openapi.json.";
    TOKEN_MISSING = 401 "token-missing"
        sv: "Token saknas" "Skicka din token i huvudet Authorization: Bearer spv_…. Federationsoperatören ger ut den."
        en: "A token is missing" "Send your token in the header Authorization: Bearer spv_…. The federation operator gives it out.";
    TOKEN_UNKNOWN = 401 "token-unknown"
        sv: "Ingen sådan token" "Token känns inte igen. Kontrollera att den är hel, eller be federationsoperatören om en ny."
        en: "No such token" "The token is not recognised. Check that it is whole, or ask the federation operator for a new one.";
    TOKEN_EXPIRED = 401 "token-expired"
        sv: "Token har gått ut" "Token gällde till {}. Be federationsoperatören om en ny."
        en: "The token has expired" "The token was good until {}. Ask the federation operator for a new one.";
    TOKEN_REVOKED = 401 "token-revoked"
        sv: "Token är återkallad" "Token återkallades {}. Be federationsoperatören om en ny om du fortfarande ska ha en."
        en: "The token is revoked" "The token was revoked at {}. Ask the federation operator for a new one if you are still to have one.";
    RIGHT = 403 "right-missing"
        sv: "Token har inte den rätten" "Detta kräver rätten publish, och din token har propose."
        en: "The token does not have the right" "This takes the right publish, and your token has propose.";
    OWN_PROPOSAL = 403 "own-proposal"
        sv: "Förslaget är ditt eget" "Förslag {} är ditt eget: en annan person måste göra detta."
        en: "The proposal is your own" "Proposal {} is your own: another person must do this.";
    NOT_AUTHOR = 403 "not-author"
        sv: "Förslaget är någon annans" "Förslag {} kan bara återtas av den som lämnade det. Andra kan avslå det."
        en: "The proposal is somebody else's" "Only the author of proposal {} can withdraw it. Others can decline it.";
    NOT_FOUND = 404 "not-found"
        sv: "Finns inte" "Det finns inget här för din organisation."
        en: "Not found" "There is nothing here for your organisation.";
    METHOD = 405 "method-not-allowed"
        sv: "Fel metod" "Adressen tar inte emot metoden. Huvudet Allow säger vilka den tar."
        en: "The method is not allowed" "The address does not take the method. The header Allow says which it takes.";
    STATE = 409 "proposal-state"
        sv: "Förslaget är inte i det läget" "Det går inte: {}."
        en: "The proposal is not in that state" "This cannot be done: {}.";
    STALE = 409 "proposal-stale"
        sv: "Det som förslaget ändrar har ändrats" "Förslag {} gjordes mot uppgifter som har ändrats sedan dess. Lämna in filen igen."
        en: "What the proposal changes has changed" "Proposal {} was made against data that has changed since. Submit the file again.";
    APPROVED_ALREADY = 409 "approved-already"
        sv: "Du har redan godkänt" "Du har redan godkänt förslag {}. En annan person måste också göra det."
        en: "You have approved already" "You have approved proposal {} already. Another person must approve it as well.";
    NOT_APPROVED = 409 "proposal-not-approved"
        sv: "Förslaget är inte godkänt" "Förslag {} är inte godkänt av någon annan än den som lämnade det."
        en: "The proposal is not approved" "Proposal {} is not approved by another person than its author.";
    HELD = 409 "proposal-held"
        sv: "Förslaget hålls kvar" "Förslag {} hålls kvar: det måste godkännas av två andra personer som har sett varför. GET visar skälen och stegens ordning."
        en: "The proposal is held" "Proposal {} is held: two other people who have seen why must approve it. GET shows the reasons and the safe order of steps.";
    NOTHING_CHANGES = 409 "nothing-changes"
        sv: "Ingenting skulle ändras" "Det som är registrerat är redan så."
        en: "Nothing would change" "What is registered is already so.";
    TOO_MANY_PROPOSALS = 409 "too-many-proposals"
        sv: "För många öppna förslag" "Högst {} förslag kan vara öppna. Publicera, återta eller avslå några först."
        en: "Too many open proposals" "At most {} proposals can be open. Publish, withdraw or decline some first.";
    PRECONDITION = 412 "precondition-failed"
        sv: "Det är inte längre det du såg" "Förslaget har ändrats sedan du hämtade det. Hämta det igen, se vad som är nytt och skicka dess ETag i If-Match."
        en: "It is not what you saw any more" "The proposal has changed since you fetched it. Fetch it again, see what is new, and send its ETag in If-Match.";
    TOO_LARGE = 413 "too-large"
        sv: "För stort" "Filen får ha högst {} byte."
        en: "Too large" "The file has at most {} octets.";
    MEDIA_TYPE = 415 "media-type"
        sv: "Fel sorts innehåll" "{}"
        en: "The wrong kind of content" "{}";
    REFUSED = 422 "refused"
        sv: "Reglerna godtar inte filen" "Ingenting ändrades. Rapporten säger var, varför och hur det rättas."
        en: "The rules refuse the file" "Nothing was changed. The report says where, why, and how to mend it.";
    SEE_HOLDS = 428 "see-holds-first"
        sv: "Se först varför det hålls kvar" "Förslag {} hålls kvar. Hämta det, läs skälen och skicka dess ETag i If-Match när du godkänner."
        en: "See first why it is held" "Proposal {} is held. Fetch it, read the reasons, and send its ETag in If-Match when you approve.";
    TOO_MANY = 429 "too-many-requests"
        sv: "För många anrop" "Vänta så länge som Retry-After säger."
        en: "Too many requests" "Wait as long as Retry-After says.";
    INTERNAL = 500 "internal"
        sv: "Ett fel hos oss" "Kontakta federationsoperatören och uppge referensen."
        en: "A fault of ours" "Contact the federation operator and tell the reference.";
    BUSY = 503 "busy"
        sv: "Upptaget" "Det går inte just nu. Försök igen om en stund; ingenting ändrades."
        en: "Busy just now" "This is not possible just now. Try again in a while; nothing was changed.";
}

/// What went wrong with one request.
#[derive(Debug)]
pub(super) struct Problem {
    pub(super) kind: Kind,
    /// What the detail says of the case, in Swedish and English.
    pub(super) case: Box<(String, String)>,
    /// What was found in a file that is refused.
    pub(super) findings: Vec<Finding>,
    /// For the log alone.
    pub(super) cause: Option<String>,
    /// Somebody has meddled with the store.
    pub(super) is_alarm: bool,
}

impl From<Kind> for Problem {
    fn from(kind: Kind) -> Self {
        Self { kind, case: Box::default(), findings: Vec::new(), cause: None, is_alarm: false }
    }
}

impl Kind {
    /// With what the case adds, the same in both languages.
    pub(super) fn of(self, case: impl std::fmt::Display) -> Problem {
        let case = case.to_string();
        Problem { case: Box::new((case.clone(), case)), ..self.into() }
    }

    /// With what the case adds, in Swedish and English.
    pub(super) fn case(self, sv: impl Into<String>, en: impl Into<String>) -> Problem {
        Problem { case: Box::new((sv.into(), en.into())), ..self.into() }
    }

    /// With what the log is to say of it, and nobody else.
    pub(super) fn because(self, cause: impl std::fmt::Display) -> Problem {
        Problem { cause: Some(cause.to_string()), ..self.into() }
    }

    /// In a language.
    fn words(self, tongue: Tongue) -> &'static Words {
        match tongue {
            Tongue::Swedish => self.sv,
            Tongue::English => self.en,
        }
    }

    /// Its type.
    fn uri(self, issuer: &str) -> String {
        format!("{issuer}/api/v1/problems/{}", self.name)
    }

    /// What its address says.
    pub(super) fn explained(self, issuer: &str) -> ProblemKind {
        let words = |words: &Words| ProblemWords {
            title: words.title.to_owned(),
            detail: words.detail.replace("{}", "…"),
        };
        ProblemKind { r#type: self.uri(issuer), status: self.status, sv: words(self.sv), en: words(self.en) }
    }
}

/// An answer that is no success (RFC 9457).
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Problem")]
pub(super) struct ProblemDocument {
    /// Which kind of problem; stable. A GET of it explains the kind.
    #[schemars(extend("format" = "uri"))]
    r#type: String,
    /// The kind in words.
    title: String,
    /// The status of the answer.
    status: u16,
    /// What happened here, and what to do; in Swedish or English, by Accept-Language.
    detail: String,
    /// What finds this request in the broker's log. Tell it to the federation operator.
    reference: String,
    /// What was found in the file, worst first; of the kind `refused` alone.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    findings: Vec<Finding>,
}

/// A kind of problem, explained.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct ProblemKind {
    /// The type itself.
    #[schemars(extend("format" = "uri"))]
    r#type: String,
    /// The status that it comes with.
    status: u16,
    /// In Swedish.
    sv: ProblemWords,
    /// In English.
    en: ProblemWords,
}

/// The words of a kind of problem.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct ProblemWords {
    /// In short.
    title: String,
    /// At length; … stands for what a case adds.
    detail: String,
}

impl Problem {
    /// The answer. HEAD has no body; the server takes it away.
    pub(super) fn response(self, issuer: &str, tongue: Tongue, reference: &str) -> axum::response::Response {
        let words = self.kind.words(tongue);
        let case = match tongue {
            Tongue::Swedish => &self.case.0,
            Tongue::English => &self.case.1,
        };
        let document = ProblemDocument {
            r#type: self.kind.uri(issuer),
            title: words.title.to_owned(),
            status: self.kind.status,
            detail: words.detail.replacen("{}", case, 1),
            reference: reference.to_owned(),
            findings: self.findings,
        };
        let mut response = crate::respond::json_no_store(self.kind.status, super::answer::written(&document));
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(
            header::CONTENT_LANGUAGE,
            HeaderValue::from_static(match tongue {
                Tongue::Swedish => "sv",
                Tongue::English => "en",
            }),
        );
        // RFC 6750 section 3: the first without an error code, where no token came.
        let challenge = match self.kind {
            Kind::TOKEN_MISSING => Some("Bearer realm=\"sparvidd\""),
            Kind::TOKEN_UNKNOWN | Kind::TOKEN_EXPIRED | Kind::TOKEN_REVOKED => {
                Some("Bearer realm=\"sparvidd\", error=\"invalid_token\"")
            }
            Kind::RIGHT => Some("Bearer realm=\"sparvidd\", error=\"insufficient_scope\", scope=\"publish\""),
            _ => None,
        };
        if let Some(challenge) = challenge {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        if [StatusCode::TOO_MANY_REQUESTS.as_u16(), StatusCode::SERVICE_UNAVAILABLE.as_u16()]
            .contains(&self.kind.status)
        {
            let seconds = if self.kind == Kind::TOO_MANY { "60" } else { "5" };
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static(seconds));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use metadata::lint::Tongue;

    use super::Kind;

    #[test]
    fn every_kind_has_a_name_of_its_own_and_all_its_words() {
        let names: BTreeSet<_> = Kind::ALL.iter().map(|kind| kind.name).collect();
        assert_eq!(names.len(), Kind::ALL.len());
        for kind in Kind::ALL {
            assert!((400..600).contains(&kind.status), "{}", kind.name);
            for words in [kind.sv, kind.en] {
                assert!(words.title.len() > 5 && !words.detail.is_empty(), "{}", kind.name);
            }
            let fills = |text: &str| text.matches("{}").count();
            assert_eq!(fills(kind.sv.detail), fills(kind.en.detail), "{}", kind.name);
        }
    }

    #[test]
    fn what_a_case_adds_brings_no_placeholder() {
        let problem = Kind::PARAMETER.case("{} är", "{} is");
        let response = problem.response("https://login.example", Tongue::English, "K7QF-2M9X-4T");
        assert_eq!(response.status(), 400);
        assert_eq!(response.headers()["content-language"], "en");
        assert_eq!(response.headers()["content-type"], "application/problem+json");
    }
}
