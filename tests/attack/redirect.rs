//! The authorization request and everything around it that HTTP lets somebody bend: return addresses, response types, headers, cookies, frames.

use std::collections::BTreeMap;

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use http::{StatusCode, header};
use tests::{
    browser::encoded,
    chance,
    person::Person,
    relying_party::{Attempt, Returned},
    walk::{Next, Walk},
};
use url::Url;

use super::kit::{Bench, Scenario};

fn genuine(bench: &Bench) -> Attempt {
    bench.federation.party().begin()
}

/// The request is refused on a page of ours, no login begins, and what was asked for stands nowhere on it.
async fn on_a_page(bench: &Bench, path: &str, hidden: &str) -> String {
    let browser = bench.federation.browser();
    let sent = browser.open(bench.port(), path).await;
    assert!(sent.location().starts_with("/failed/"), "{path}: {}", sent.location());
    let (page, _, code) = bench.federation.refused(&browser, bench.port(), &sent).await;
    assert!(hidden.is_empty() || !page.reply.text().contains(hidden), "{hidden} is on the page");
    assert!(browser.cookies().is_empty(), "no login began");
    code
}

/// The request is refused at the registered address, no login begins.
async fn told(bench: &Bench, attempt: &Attempt, error: &str) {
    let browser = bench.federation.browser();
    let sent = browser.open(bench.port(), &attempt.path()).await;
    let party = bench.federation.party();
    let returned = party.returned(&bench.federation.issuer, attempt, &sent.location());
    assert_eq!(returned, Returned::Error(error.into()), "{:?}", attempt.parameters);
    assert!(browser.cookies().is_empty(), "no login began");
}

async fn twin(bench: &Bench) {
    bench.ends_well(bench.genuine("assert").await).await;
}

/// Every address but the registered one, octet by octet.
async fn addresses(bench: &Bench) {
    let ours = &bench.federation.party().redirect_uri;
    let host = Url::parse(ours).expect("an address").host_str().expect("a host").to_owned();
    let others = [
        "https://evil.example/callback".to_owned(),
        format!("{ours}/"),
        format!("{ours}?"),
        format!("{ours}?a=b"),
        format!("{ours}#"),
        format!("{ours}#a"),
        format!("{ours}%00"),
        format!("{ours} "),
        format!(" {ours}"),
        format!("{ours}\n"),
        format!("{ours}.evil.example"),
        format!("{ours}/../evil"),
        ours.replace("/callback", "/Callback"),
        ours.replace("/callback", "/%63allback"),
        ours.replace("/callback", "/x/../callback"),
        ours.replace("/callback", "//callback"),
        ours.replace("/callback", "\\callback"),
        ours.replace("/callback", "/callback;x=1"),
        ours.replace("https", "http"),
        ours.replace("https", "HTTPS"),
        ours.replace("https:", "javascript:"),
        ours.replace("https:", ""),
        ours.to_uppercase(),
        ours.replace(&host, &format!("{host}:443")),
        ours.replace(&host, &format!("{host}:8443")),
        ours.replace(&host, &format!("{host}.")),
        ours.replace(&host, &format!("evil.example@{host}")),
        ours.replace(&host, &format!("{host}@evil.example")),
        ours.replace(&host, &format!("{host}%40evil.example")),
        ours.replace(&host, &format!("evil.{host}")),
        ours.replace(&host, &format!("{host}.evil.example")),
        ours.replace(&host, "127.0.0.1"),
        format!("https://evil.example/?next={ours}"),
        format!("data:text/html,{ours}"),
        bench.party("annan").redirect_uri.clone(),
    ];
    for other in &others {
        let path = genuine(bench).with("redirect_uri", other).path();
        let code = on_a_page(bench, &path, "evil.example").await;
        assert_eq!(code, "relying_party.return_address_unregistered", "{other:?}");
    }
    twin(bench).await;
}

async fn repeated(bench: &Bench) {
    let attempt = genuine(bench);
    for more in [
        "redirect_uri=https%3A%2F%2Fevil.example%2F",
        "client_id=annan",
        "client%5Fid=annan",
        "redirect%5Furi=https%3A%2F%2Fevil.example",
    ] {
        for path in
            [format!("{}&{more}", attempt.path()), attempt.path().replacen('?', &format!("?{more}&"), 1)]
        {
            assert_eq!(
                on_a_page(bench, &path, "evil.example").await,
                "relying_party.request_malformed",
                "{more}"
            );
        }
    }
    for name in ["scope", "nonce", "response_type", "code_challenge", "prompt", "unknown_to_us"] {
        let browser = bench.federation.browser();
        let path = format!("{}&{name}=x&{name}=y", attempt.path());
        let sent = browser.open(bench.port(), &path).await;
        let returned =
            bench.federation.party().returned(&bench.federation.issuer, &attempt, &sent.location());
        assert_eq!(returned, Returned::Error("invalid_request".into()), "{name}");
    }
    twin(bench).await;
}

/// Parameters in the address of a POST that has its own: two readers could choose differently.
async fn both_places(bench: &Bench) {
    let attempt = genuine(bench);
    let evil = encoded(&[("redirect_uri", "https://evil.example/")]);
    let browser = bench.federation.browser();
    let sent = browser.post(bench.port(), &attempt.path(), &evil).await;
    let (page, _, code) = bench.federation.refused(&browser, bench.port(), &sent).await;
    assert_eq!(code, "relying_party.request_malformed");
    assert!(!page.reply.text().contains("evil.example"));
    twin(bench).await;
}

async fn response_types(bench: &Bench) {
    for kind in [
        "token",
        "id_token",
        "code token",
        "code id_token",
        "code id_token token",
        "id_token token",
        "none",
        "CODE",
        "code code",
    ] {
        told(bench, &genuine(bench).with("response_type", kind), "unsupported_response_type").await;
    }
    told(bench, &genuine(bench).with("response_type", ""), "invalid_request").await;
    for mode in ["fragment", "jwt", "query.jwt", "form_post.jwt", "web_message", "QUERY", "cookie"] {
        told(bench, &genuine(bench).with("response_mode", mode), "invalid_request").await;
    }
    twin(bench).await;
}

/// Nothing is fetched because a request says so.
async fn request_objects(bench: &Bench) {
    let object = "eyJhbGciOiJub25lIn0.eyJyZWRpcmVjdF91cmkiOiJodHRwczovL2V2aWwuZXhhbXBsZS8ifQ.";
    told(bench, &genuine(bench).with("request", object), "request_not_supported").await;
    for address in [
        "http://127.0.0.1:9/r",
        "https://169.254.169.254/latest/meta-data",
        "file:///etc/passwd",
        "urn:ietf:params:oauth:request_uri:x",
    ] {
        told(bench, &genuine(bench).with("request_uri", address), "request_uri_not_supported").await;
    }
    told(bench, &genuine(bench).with("registration", "{}"), "registration_not_supported").await;
    twin(bench).await;
}

/// What a state may do to the address and to the pages that it comes back on.
async fn states(bench: &Bench) {
    for state in [
        "\"><script>alert(1)</script>",
        "a&code=evil&state=b",
        "a#code=evil",
        "a\\b'c\"d<e>f",
        "https://evil.example/",
        "åäö ☃ %0d%0a",
    ] {
        let mut walk = Walk::new(&bench.federation, tests::person::Person::asa()).naming_the_provider();
        walk.attempt = walk.attempt.with("state", state);
        walk.attempt.state = state.to_owned();
        walk.until("accept", bench.port()).await;
        let Next::Accept(form) = walk.next.clone() else { panic!("at the notice") };
        let page = walk.browser.submit(bench.port(), &form).await;
        assert!(
            !page.reply.text().contains(state) || !state.contains('<'),
            "markup of a state is on the page"
        );
        let onward = page.first_button();
        let Returned::Code(code) = walk.party.returned(&bench.federation.issuer, &walk.attempt, &onward)
        else {
            panic!("a code")
        };
        walk.outcome.code.clone_from(&code);
        walk.next = Next::Redeem(code);
        bench.ends_well(walk).await;
    }
    let browser = bench.federation.browser();
    for state in ["a\r\nSet-Cookie: a=b", "a\0b", "\u{1b}[2J"] {
        let attempt = genuine(bench).with("state", state);
        let sent = browser.open(bench.port(), &attempt.path()).await;
        assert!(sent.location().contains("error=invalid_request") && !sent.location().contains("state="));
        assert!(sent.reply.headers.get(header::SET_COOKIE).is_none());
    }
}

/// The answer names who gives it: a relying party of two brokers tells them apart (RFC 9207).
async fn mix_up(bench: &Bench) {
    let walk = bench.genuine("accept").await;
    let Next::Accept(form) = walk.next.clone() else { panic!("at the notice") };
    let onward = walk.browser.submit(bench.port(), &form).await.first_button();
    let url = Url::parse(&onward).expect("an address");
    let issuers: Vec<_> =
        url.query_pairs().filter(|(name, _)| name == "iss").map(|(_, value)| value.into_owned()).collect();
    assert_eq!(issuers, std::slice::from_ref(&bench.federation.issuer));
    let document = bench.federation.document(bench.port(), "/.well-known/openid-configuration").await.json();
    assert_eq!(document["authorization_response_iss_parameter_supported"], true);
    assert_eq!(document["issuer"], bench.federation.issuer.as_str());
    twin(bench).await;
}

/// Who we are stands in the configuration, not in a request's headers.
async fn hosts(bench: &Bench) {
    let walk = bench.genuine("assert").await;
    let read = async |headers: &[(&str, &str)]| {
        bench
            .raw(&walk, "GET", "/.well-known/openid-configuration", headers, String::new())
            .await
            .reply
            .text()
    };
    let genuine = read(&[]).await;
    for headers in [
        &[("host", "evil.example")][..],
        &[("x-forwarded-host", "evil.example"), ("x-forwarded-proto", "https")],
        &[("forwarded", "host=evil.example;proto=https")],
        &[("x-original-url", "/evil"), ("x-rewrite-url", "/evil")],
        &[("x-http-method-override", "DELETE")],
    ] {
        assert_eq!(read(headers).await, genuine, "{headers:?}");
        let begun = bench
            .raw(
                &walk,
                "GET",
                &bench.federation.party().begin().with("redirect_uri", "https://evil.example").path(),
                headers,
                String::new(),
            )
            .await;
        assert!(begun.location().starts_with("/failed/"), "{}", begun.location());
        let metadata = bench.raw(&walk, "GET", "/saml/metadata", headers, String::new()).await.reply.text();
        assert!(!metadata.contains("evil.example"), "{headers:?}");
    }
    bench.ends_well(walk).await;
}

/// Three hundred cookies with our names, planted by a neighbour: the answer stays small, the login goes through, and the surplus goes by and by.
async fn many_cookies(bench: &Bench) {
    let planted: BTreeMap<String, String> = (0..300)
        .map(|_| {
            (format!("login-{}", &chance::text()[..8]), format!("{}.{}", &chance::text()[..27], i64::MAX))
        })
        .collect();
    let begun = bench.federation.browser();
    begun.set_cookies(planted.clone());
    let page = begun.open(bench.port(), &genuine(bench).path()).await;
    assert!(page.reply.headers.get_all(header::SET_COOKIE).iter().count() <= 21);
    assert_eq!(begun.cookies().len(), 281);
    let mut walk = Walk::new(&bench.federation, tests::person::Person::asa()).naming_the_provider();
    walk.browser.set_cookies(planted);
    walk.until("assert", bench.port()).await;
    bench.ends_well(walk).await;
}

/// Our cookie's name twice, the planted one first; and names that are nearly ours.
async fn planted_cookies(bench: &Bench) {
    let walk = bench.genuine("assert").await;
    let Next::Assert(form) = walk.next.clone() else { panic!("at the provider") };
    let (name, value) = walk.browser.cookies().into_iter().next().expect("a cookie");
    let forged = format!("{}A.29000000.AAAAAAAAAAA", &chance::text()[..26]);
    let kind = ("content-type", "application/x-www-form-urlencoded");
    let body = encoded(&form.fields);
    let cases = [
        (format!("{name}={forged}; {name}={value}"), "browser.login_unknown"),
        (format!("{}={value}", name.to_uppercase()), "browser.cookie_missing"),
        (format!("__Host-{name}={value}"), "browser.cookie_missing"),
        (format!("{name}="), "browser.cookie_missing"),
        (format!("{name}=\"{value}\""), "browser.cookie_missing"),
        (format!("{name}={}", &value[1..]), "browser.cookie_missing"),
    ];
    for (cookies, expected) in &cases {
        let sent = bench.raw(&walk, "POST", "/saml/acs", &[kind, ("cookie", cookies)], body.clone()).await;
        assert_eq!(bench.turned_away(&walk.browser, &sent).await, *expected, "{cookies}");
    }
    bench.ends_well(walk).await;
}

/// The cookie holds no more than it must and reaches nobody but us.
async fn cookie_attributes(bench: &Bench) {
    let browser = bench.federation.browser();
    let page = browser.open(bench.port(), &genuine(bench).path()).await;
    let all: Vec<_> = page.reply.headers.get_all(header::SET_COOKIE).iter().collect();
    assert_eq!(all.len(), 1);
    let line = all[0].to_str().expect("ASCII");
    for wanted in ["; Path=/", "; Secure", "; HttpOnly", "; SameSite=None"] {
        assert!(line.contains(wanted), "{wanted} in {line}");
    }
    assert!(!line.contains("Domain"), "{line}");
    assert!(line.split(';').next().is_some_and(|pair| pair.len() <= 80), "{line}");
    twin(bench).await;
}

/// No page of ours in a frame, sniffed, or left with its address in a Referer.
async fn frames(bench: &Bench) {
    let mut walk = Walk::new(&bench.federation, tests::person::Person::asa());
    let browser = bench.federation.browser();
    let failed = browser.open(bench.port(), "/oidc/authorize?client_id=okand").await.location();
    walk.until("choose", bench.port()).await;
    let Next::Choose(link) = walk.next.clone() else { panic!("at the choice") };
    let choice = link.split_once("/choose").expect("a link").0.to_owned();
    walk.until("accept", bench.port()).await;
    let Next::Accept(form) = walk.next.clone() else { panic!("at the notice") };
    for address in ["/", choice.as_str(), form.action.as_str(), failed.as_str(), "/nowhere", "/oidc/jwks"] {
        let page = walk.browser.open(bench.port(), address).await;
        let value = |name| page.reply.header(name).to_owned();
        assert_eq!(value(header::X_FRAME_OPTIONS), "DENY", "{address}");
        assert!(value(header::CONTENT_SECURITY_POLICY).contains("frame-ancestors 'none'"), "{address}");
        assert!(!value(header::CONTENT_SECURITY_POLICY).contains("unsafe"), "{address}");
        assert_eq!(value(header::X_CONTENT_TYPE_OPTIONS), "nosniff", "{address}");
        assert_eq!(value(header::REFERRER_POLICY), "no-referrer", "{address}");
    }
    bench.ends_well(walk).await;
}

/// No address of ours sends a browser where the address says.
async fn open_redirects(bench: &Bench) {
    let browser = bench.federation.browser();
    for address in [
        "//evil.example/",
        "/failed/https:%2F%2Fevil.example",
        "/failed/AAAA",
        "/login/AAAAAAAA/choose?provider=https%3A%2F%2Fevil.example",
        "/login/AAAAAAAA?next=https://evil.example",
        "/?redirect_uri=https://evil.example",
        "/oidc/authorize?initiate_login_uri=https://evil.example",
        "/assets/..%2F..%2Fnode0.toml",
        "/assets/%2e%2e/%2e%2e/etc/passwd",
        "/%5cevil.example",
    ] {
        let walk = Walk::new(&bench.federation, tests::person::Person::asa());
        let sent = bench.raw(&walk, "GET", address, &[], String::new()).await;
        let location = sent.reply.header(header::LOCATION);
        assert!(location.is_empty() || location.starts_with("/failed/"), "{address} leads to {location}");
        assert!(!sent.reply.text().contains("evil.example"), "{address}");
        assert!(sent.reply.status != StatusCode::OK || address.starts_with("/?"), "{address}");
    }
    assert!(browser.cookies().is_empty());
    twin(bench).await;
}

/// A failed page's address is made by us alone.
async fn sealed_addresses(bench: &Bench) {
    let walk = bench.genuine("assert").await;
    let Next::Assert(mut form) = walk.next.clone() else { panic!("at the provider") };
    form.fields[0].1 = "PGEvPg==".into();
    let sent = walk.browser.submit(bench.port(), &form).await;
    let _ = bench.turned_away(&walk.browser, &sent).await;
    let address = sent.location();
    let middle = address.len() / 2;
    let other = if &address[middle..=middle] == "A" { "B" } else { "A" };
    let turned = format!("{}{other}{}", &address[..middle], &address[middle + 1..]);
    for forged in [turned, address[..address.len() - 1].to_owned(), format!("{address}AAAA")] {
        let page = walk.browser.open(bench.port(), &forged).await;
        assert_eq!(page.reply.status, 404, "{forged}");
    }
    bench.ends_well(walk).await;
}

/// The choice gives no provider that is not offered.
async fn providers(bench: &Bench) {
    let mut walk = Walk::new(&bench.federation, tests::person::Person::asa());
    walk.until("choose", bench.port()).await;
    let Next::Choose(link) = walk.next.clone() else { panic!("at the choice") };
    let base = link.split_once('?').expect("a query").0;
    for provider in
        ["https://evil.example/saml", "", "*", "https://idp.granvik.localhost/saml/", "javascript:alert(1)"]
    {
        let sent =
            walk.browser.open(bench.port(), &format!("{base}?{}", encoded(&[("provider", provider)]))).await;
        let code = bench.refused(&walk, &sent).await;
        assert!(code.starts_with("policy.provider_"), "{provider}: {code}");
    }
    let attempt =
        walk.attempt.clone().with("https://id.oidc.se/param/authnProvider", "https://evil.example/saml");
    let sent = bench.federation.browser().open(bench.port(), &attempt.path()).await;
    assert!(!sent.reply.text().contains("evil.example"));
    bench.ends_well(walk).await;
}

/// The ID token that the person's login at a relying party ends with, as it came.
async fn id_token(bench: &Bench, party: &'static str) -> String {
    let walk = bench.with_code(party).await;
    let Next::Redeem(code) = &walk.next else { panic!("there is a code") };
    let issuer = &bench.federation.issuer;
    let reply = walk.party.redeem(&walk.wire, bench.port(), issuer, &walk.attempt, code).await;
    reply.json()["id_token"].as_str().expect("an ID token").to_owned()
}

/// Who is expected is said by a token of ours, made for the one who shows it. Any other would let somebody ask who a stranger is.
async fn hints(bench: &Bench) {
    let own = id_token(bench, "journal").await;
    let parts: Vec<&str> = own.split('.').collect();
    let [header, claims, signature] = parts[..] else { panic!("three parts") };
    let decoded: serde_json::Value =
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).expect("base64url")).expect("JSON");
    let with = |name: &str, value: &str| {
        let mut changed = decoded.clone();
        changed[name] = value.into();
        URL_SAFE_NO_PAD.encode(changed.to_string())
    };
    let unsigned = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"JWT"}"#);
    for hint in [
        id_token(bench, "annan").await,
        format!("{header}.{}.{signature}", with("sub", "somebody")),
        format!("{header}.{}.{signature}", with("aud", "annan")),
        format!("{header}.{claims}."),
        format!("{unsigned}.{claims}."),
        format!("{unsigned}.{claims}.{signature}"),
        claims.to_owned(),
    ] {
        told(bench, &genuine(bench).with("id_token_hint", &hint), "invalid_request").await;
    }
    let mut walk = Walk::new(&bench.federation, Person::asa()).naming_the_provider();
    walk.attempt = walk.attempt.clone().with("id_token_hint", &own);
    walk.until("assert", bench.port()).await;
    bench.ends_well(walk).await;
}

/// A relying party's words on our pages lead nowhere, whatever they are spelt with.
async fn words(bench: &Bench) {
    const MESSAGE: &str = "https://id.oidc.se/param/userMessage";
    let saying = |text: &str| {
        let message = serde_json::json!({ "message": STANDARD.encode(text) }).to_string();
        genuine(bench).with(MESSAGE, &message)
    };
    for text in [
        "<a href=x>hej</a>",
        "logga in igen: evil.example",
        "logga in igen: evil\u{2488}example",
        "logga in igen: evil\u{3002}example",
        "ring hjalp@evil",
        "https://evil",
        "\u{202e}hej",
    ] {
        told(bench, &saying(text), "invalid_request").await;
    }
    let mut walk = Walk::new(&bench.federation, Person::asa()).naming_the_provider();
    let parameters = saying("Välkommen till ärende 2026-1234.").parameters;
    let (_, message) = parameters.into_iter().find(|(name, _)| name == MESSAGE).expect("the message");
    walk.attempt = walk.attempt.clone().with(MESSAGE, &message);
    walk.until("assert", bench.port()).await;
    bench.ends_well(walk).await;
}

pub(crate) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "an id_token_hint that is another's, changed or not signed",
        source: "OpenID Connect Core 3.1.2.1, RFC 8725 section 3.1",
        run: |bench| Box::pin(hints(bench)),
    },
    Scenario {
        name: "a message that is markup or leads somewhere",
        source: "OIDC Sweden request parameters 2.1",
        run: |bench| Box::pin(words(bench)),
    },
    Scenario {
        name: "return addresses that are nearly the registered one",
        source: "RFC 9700 section 4.1, ASVS 10.4.1",
        run: |bench| Box::pin(addresses(bench)),
    },
    Scenario {
        name: "parameters twice, also under an encoded name",
        source: "RFC 6749 section 3.1",
        run: |bench| Box::pin(repeated(bench)),
    },
    Scenario {
        name: "parameters in the address and in the body",
        source: "parameter pollution",
        run: |bench| Box::pin(both_places(bench)),
    },
    Scenario {
        name: "other response types and modes",
        source: "RFC 9700 section 2.1.2, ASVS 10.4.12",
        run: |bench| Box::pin(response_types(bench)),
    },
    Scenario {
        name: "request objects, by value and by reference",
        source: "OpenID Connect Core 6, SSRF",
        run: |bench| Box::pin(request_objects(bench)),
    },
    Scenario {
        name: "a state that would be markup, parameters, headers",
        source: "ASVS 1.2.1, RFC 6749 section 10.14",
        run: |bench| Box::pin(states(bench)),
    },
    Scenario {
        name: "mix-up: who answers",
        source: "RFC 9207, RFC 9700 section 4.4",
        run: |bench| Box::pin(mix_up(bench)),
    },
    Scenario {
        name: "Host and forwarding headers",
        source: "ASVS 4.1.3",
        run: |bench| Box::pin(hosts(bench)),
    },
    Scenario {
        name: "three hundred planted cookies",
        source: "cookie tossing",
        run: |bench| Box::pin(many_cookies(bench)),
    },
    Scenario {
        name: "a planted cookie before ours, names that are nearly ours",
        source: "cookie tossing, ASVS 3.3.3",
        run: |bench| Box::pin(planted_cookies(bench)),
    },
    Scenario {
        name: "what the cookie says to the browser",
        source: "ASVS 3.3.1, 3.3.2",
        run: |bench| Box::pin(cookie_attributes(bench)),
    },
    Scenario {
        name: "frames, sniffing, Referer",
        source: "ASVS 3.4.3, 3.4.6; RFC 9700 section 4.16",
        run: |bench| Box::pin(frames(bench)),
    },
    Scenario {
        name: "open redirects and paths",
        source: "RFC 9700 section 4.11, ASVS 3.7.2",
        run: |bench| Box::pin(open_redirects(bench)),
    },
    Scenario {
        name: "a forged address of a failed page",
        source: "ASVS 14.2.1",
        run: |bench| Box::pin(sealed_addresses(bench)),
    },
    Scenario {
        name: "a provider that is not offered",
        source: "design decision 8",
        run: |bench| Box::pin(providers(bench)),
    },
];
