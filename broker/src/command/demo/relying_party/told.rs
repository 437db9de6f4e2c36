//! What came of a login, put into words: what was received and why, what was not and why not, and what an error means.

use broker_core::moment::Timestamp;
use minijinja::{Value as View, context};
use serde_json::{Map, Value};

use super::{
    provider::{NotTaken, Received},
    tries::{AUTHN_PROVIDER, Try, asked_by},
};
use crate::command::demo::texts::{Text, Tongue};

/// Everything that the page of a sign-in shows, except the frame.
pub(super) fn received(
    received: &Received,
    way: &Try,
    request: &[(String, String)],
    language: Tongue,
) -> View {
    let say = |text: Text| text.said(language);
    let value_of = |claim: &str| received.userinfo.get(claim).or_else(|| received.id_token.get(claim));
    let mut person = Vec::new();
    let mut missing = Vec::new();
    for (text, asker) in way.asked() {
        match value_of(text.claim) {
            Some(value) => {
                let (sv, en) = asked_by(asker);
                let why = if language == Tongue::Swedish { sv } else { en };
                person.push(context! {
                    label => say(text.label), claim => text.claim, value => shown(value), why, origin => say(text.origin),
                });
            }
            None => missing
                .push(context! { label => say(text.label), claim => text.claim, why => say(text.absence()) }),
        }
    }
    let greeting = match value_of("name").and_then(Value::as_str) {
        Some(name) => format!("{} {name}!", say(Text { sv: "Välkommen", en: "Welcome" })),
        None => say(Text { sv: "Välkommen!", en: "Welcome!" }).to_owned(),
    };
    let signed = if received.userinfo_signed {
        Text { sv: "(kom som signerad JWT)", en: "(came as a signed JWT)" }
    } else {
        Text { sv: "(kom som JSON)", en: "(came as JSON)" }
    };
    context! {
        greeting,
        person,
        missing,
        login => login_rows(received, language),
        checks => received.checks.iter().map(|check| say(*check)).collect::<Vec<_>>(),
        raw => context! {
            request => request.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("\n"),
            id_token => pretty(&received.id_token),
            userinfo => pretty(&received.userinfo),
            userinfo_form => say(signed),
        },
    }
}

fn pretty(claims: &Map<String, Value>) -> String {
    serde_json::to_string_pretty(claims).unwrap_or_default()
}

/// A claim's value on one line.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(all) => all.iter().map(shown).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

fn login_rows(received: &Received, language: Tongue) -> Vec<View> {
    let say = |text: Text| text.said(language);
    let claim = |name: &str| received.id_token.get(name);
    let row = |label: Text, claim: &str, value: String, why: Text| {
        context! { label => say(label), claim, value, detail => (), why => say(why) }
    };
    let mut rows = Vec::new();
    if let Some(sub) = claim("sub") {
        rows.push(row(
            Text { sv: "Vem du är för den här tjänsten", en: "Who you are to this service" },
            "sub",
            shown(sub),
            Text {
                sv: "En pseudonym: densamma nästa gång du loggar in här, men en annan hos varje annan organisations tjänster.",
                en: "A pseudonym: the same next time you sign in here, but another at every other organisation's services.",
            },
        ));
    }
    let level = claim("acr").and_then(Value::as_str);
    let (short, why) = level_text(level);
    rows.push(context! {
        label => say(Text { sv: "Tillitsnivå", en: "Assurance level" }),
        claim => "acr",
        value => short.map_or_else(|| level.unwrap_or_default().to_owned(), |short| say(short).to_owned()),
        detail => level.filter(|_| short.is_some()),
        why => say(why),
    });
    if let Some(at) = claim("auth_time").and_then(Value::as_i64) {
        let seconds = received.at.0.saturating_sub(at);
        let ago = duration(seconds, language);
        let clock = Timestamp(at).to_rfc3339().replace('T', " ").replace('Z', " UTC");
        let ago = match language {
            Tongue::Swedish => format!("{clock}, {ago} före svaret"),
            Tongue::English => format!("{clock}, {ago} before the answer"),
        };
        rows.push(row(
            Text { sv: "När du legitimerade dig", en: "When you were authenticated" },
            "auth_time",
            ago,
            Text {
                sv: "Tiden hos din arbetsgivare, också när en tidigare inloggning återanvänds.",
                en: "The time at your employer, also when an earlier sign-in is reused.",
            },
        ));
    }
    if let Some(provider) = claim(AUTHN_PROVIDER) {
        rows.push(row(
            Text { sv: "Vem som legitimerade dig", en: "Who authenticated you" },
            AUTHN_PROVIDER,
            shown(provider),
            Text {
                sv: "Begärt för sig, med parametern claims.",
                en: "Asked for by itself, with the claims parameter.",
            },
        ));
    }
    if let Some(issuer) = claim("iss") {
        rows.push(row(
            Text { sv: "Vem som intygar det här", en: "Who vouches for this" },
            "iss",
            shown(issuer),
            Text {
                sv: "Spårvidd. Tjänsten behöver bara lita på en, hur många arbetsgivare som än är med.",
                en: "Spårvidd. The service needs to trust only one, however many employers take part.",
            },
        ));
    }
    rows
}

fn duration(seconds: i64, language: Tongue) -> String {
    let (count, sv, en) = match seconds {
        ..120 => (seconds.max(0), "s", "s"),
        120..7200 => (seconds / 60, "minuter", "minutes"),
        _ => (seconds / 3600, "timmar", "hours"),
    };
    format!("{count} {}", if language == Tongue::Swedish { sv } else { en })
}

/// A level in few words, where it is one that the demo knows, and what it means.
fn level_text(level: Option<&str>) -> (Option<Text>, Text) {
    match level {
        Some("http://id.swedenconnect.se/loa/1.0/uncertified-loa3") => (
            Some(Text { sv: "Nivå 3, ogranskad", en: "Level 3, uncertified" }),
            Text {
                sv: "Din arbetsgivare intygar nivå 3. Spårvidd är inte granskad i den här federationen och får därför inte lova mer än en ogranskad nivå.",
                en: "Your employer vouches for level 3. Spårvidd is not reviewed in this federation, so it may promise no more than an uncertified level.",
            },
        ),
        Some("http://id.swedenconnect.se/loa/1.0/uncertified-loa2") => (
            Some(Text { sv: "Nivå 2, ogranskad", en: "Level 2, uncertified" }),
            Text {
                sv: "Din arbetsgivare intygar nivå 2. Spårvidd är inte granskad i den här federationen och får därför inte lova mer än en ogranskad nivå.",
                en: "Your employer vouches for level 2. Spårvidd is not reviewed in this federation, so it may promise no more than an uncertified level.",
            },
        ),
        Some("http://id.sambi.se/loa/loa3") => (
            Some(Text { sv: "Nivå 3 enligt Sambi", en: "Level 3 in Sambi's words" }),
            Text {
                sv: "En nivå på vårdfederationen Sambis skala. Spårvidd översätter aldrig mellan två skalor.",
                en: "A level on the scale of the health-care federation Sambi. Spårvidd never translates between two scales.",
            },
        ),
        Some(_) => {
            (None, Text { sv: "Som arbetsgivaren intygar den.", en: "As the employer vouches for it." })
        }
        None => (
            Some(Text { sv: "Ingen", en: "None" }),
            Text {
                sv: "Det finns ingen nivå som Spårvidd ärligt kan ange.",
                en: "There is no level that Spårvidd can honestly state.",
            },
        ),
    }
}

/// Everything that the page of a refusal shows, except the frame.
pub(super) fn refused(not_taken: &NotTaken, broker: &str, language: Tongue) -> View {
    let say = |text: Text| text.said(language);
    let row = |label: Text, claim: &str, value: &str| context! { label => say(label), claim, value };
    let (title, explanation, rows) = match not_taken {
        NotTaken::Said { error, description } => {
            let (title, explanation) = error_text(error);
            let mut rows = vec![row(Text { sv: "Svaret", en: "The answer" }, "error", error)];
            if !description.is_empty() {
                rows.push(row(
                    Text { sv: "Beskrivning, för loggen", en: "Description, for the log" },
                    "error_description",
                    description,
                ));
            }
            rows.push(row(Text { sv: "Från", en: "From" }, "iss", broker));
            (title, explanation, rows)
        }
        NotTaken::Fault(what) => (
            Text { sv: "Tjänsten godtog inte svaret", en: "The service did not accept the answer" },
            Text {
                sv: "Något i svaret stämmer inte, så du är inte inloggad. Försök igen.",
                en: "Something in the answer does not fit, so you are not signed in. Try again.",
            },
            vec![row(Text { sv: "Vad som inte stämde", en: "What did not fit" }, "", what)],
        ),
    };
    context! { title => say(title), explanation => say(explanation), rows }
}

/// What an error means to the person (RFC 6749 section 4.1.2.1, OIDC Core 3.1.2.6, Swedish profile 2.2).
fn error_text(error: &str) -> (Text, Text) {
    match error {
        "access_denied" => (
            Text { sv: "Du är inte inloggad", en: "You are not signed in" },
            Text {
                sv: "Inloggningen avbröts, eller så sa din arbetsgivare nej. Tjänsten får inte veta vilket.",
                en: "The sign-in was cancelled, or your employer said no. The service is not told which.",
            },
        ),
        "unmet_authentication_requirements" => (
            Text { sv: "Tillitsnivån räcker inte", en: "The assurance level is not enough" },
            Text {
                sv: "Tjänsten krävde en högre nivå än den som din e-legitimation ger, eller än den som Spårvidd får lova.",
                en: "The service required a higher level than your e-ID gives, or than Spårvidd may promise.",
            },
        ),
        "login_required" => (
            Text { sv: "Du behöver legitimera dig", en: "You need to be authenticated" },
            Text {
                sv: "Tjänsten bad om en inloggning utan att visa något, men du är inte inloggad hos din arbetsgivare.",
                en: "The service asked for a sign-in without showing anything, but you are not signed in at your employer.",
            },
        ),
        "interaction_required" | "account_selection_required" | "consent_required" => (
            Text { sv: "En människa behövs", en: "A person is needed" },
            Text {
                sv: "Tjänsten bad om en inloggning utan att visa något, men du måste få välja arbetsgivare och se vad som lämnas.",
                en: "The service asked for a sign-in without showing anything, but you must be let choose your employer and see what is sent.",
            },
        ),
        "temporarily_unavailable" => (
            Text { sv: "Inloggningen är tillfälligt borta", en: "The sign-in is away for the moment" },
            Text { sv: "Vänta en stund och försök igen.", en: "Wait a little and try again." },
        ),
        "server_error" => (
            Text { sv: "Inloggningen gick inte att slutföra", en: "The sign-in could not be completed" },
            Text {
                sv: "Något gick fel på vägen mellan din arbetsgivare och tjänsten. Försök igen.",
                en: "Something went wrong on the way between your employer and the service. Try again.",
            },
        ),
        _ => (
            Text { sv: "Tjänsten frågade på fel sätt", en: "The service asked in a wrong way" },
            Text {
                sv: "Spårvidd förstod inte tjänstens fråga. Det är tjänsten som behöver rättas.",
                en: "Spårvidd did not understand the service's request. It is the service that needs mending.",
            },
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_shown_on_one_line() {
        assert_eq!(shown(&serde_json::json!(["a", 1, { "b": true }])), "a, 1, {\"b\":true}");
    }

    #[test]
    fn what_was_asked_for_is_either_shown_or_explained() {
        let object = |value: Value| value.as_object().cloned().unwrap_or_default();
        let received = Received {
            id_token: object(serde_json::json!({ "sub": "x", "iss": "i", "auth_time": 90 })),
            userinfo: object(serde_json::json!({ "sub": "x", "name": "<b>Åsa</b>" })),
            userinfo_signed: true,
            checks: Vec::new(),
            at: Timestamp(100),
        };
        let way = Try::of(Some("more"));
        for language in [Tongue::Swedish, Tongue::English] {
            let view = super::received(&received, way, &[], language);
            let count = |name: &str| view.get_attr(name).ok().and_then(|rows| rows.len()).unwrap_or_default();
            assert_eq!(count("person"), 1);
            assert_eq!(count("person") + count("missing"), way.asked().len());
        }
    }
}
