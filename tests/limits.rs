//! How often one may ask, and what is fetched from where: each limit beside somebody whom it does not touch.

use std::{
    io::{Read as _, Write as _},
    net::{IpAddr, Ipv4Addr, TcpListener},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{Request, header};
use http_body_util::Full;
use tests::{
    browser::{Browser, Form},
    federation::{Federation, Plan},
    person::Person,
    program,
    relying_party::{Authentication, RelyingParty},
    walk::{Next, Walk},
    wire::Wire,
};

async fn federation(limits: &str) -> Federation {
    let relying_parties = vec![RelyingParty::with_basic("journal"), RelyingParty::with_basic("annan")];
    let more = format!("[limits]\n{limits}");
    Federation::start(Plan { relying_parties, ec: true, notice: false, more, ..Plan::default() }).await
}

/// A login that is at the provider, with the genuine answer.
async fn at_provider(federation: &Federation) -> (Walk<'_>, Form) {
    let mut walk = Walk::new(federation, Person::asa());
    walk.until("assert", federation.port()).await;
    let Next::Assert(form) = walk.next.clone() else { panic!("at the provider") };
    (walk, form)
}

/// The answer with another signature.
fn forged(genuine: &Form) -> Form {
    let xml = STANDARD.decode(genuine.field("SAMLResponse")).expect("base64");
    let text =
        String::from_utf8(xml).expect("XML is text").replacen("SignatureValue>", "SignatureValue>AAAA", 1);
    Form { action: genuine.action.clone(), fields: vec![("SAMLResponse".to_owned(), STANDARD.encode(text))] }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_takes_only_so_many_answers_and_another_login_its_own() {
    let federation = federation("answers_per_login = 3\n").await;
    let port = federation.port();
    let (tried, genuine) = at_provider(&federation).await;
    let forged = forged(&genuine);
    for _ in 0..3 {
        let sent = tried.browser.submit(port, &forged).await;
        let (_, _, code) = federation.refused(&tried.browser, port, &sent).await;
        assert_eq!(code, "provider.signature_invalid");
    }
    let sent = tried.browser.submit(port, &genuine).await;
    let (page, _, code) = federation.refused(&tried.browser, port, &sent).await;
    assert_eq!((code.as_str(), page.reply.status.as_u16()), ("browser.too_many", 429));
    assert_eq!(page.reply.header(header::RETRY_AFTER), "120");
    assert!(page.first_button().starts_with("https://journal."), "the way on begins at the service");
    let (other, _) = at_provider(&federation).await;
    assert!(!other.finish(port).await.id_token.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_verifies_and_ends_nothing_counts_like_any_other() {
    let federation = federation("answers_per_login = 3\n").await;
    let port = federation.port();
    let (tried, _) = at_provider(&federation).await;
    let mut answer = tried.answer();
    answer.attributes.clear();
    let form = tried.provider.issue(tried.asked.as_ref().expect("at the provider"), &answer);
    for expected in [["policy.subject_missing"; 3].as_slice(), &["browser.too_many"]].concat() {
        let sent = tried.browser.submit(port, &form).await;
        let (_, _, code) = federation.refused(&tried.browser, port, &sent).await;
        assert_eq!(code, expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_in_a_loop_is_stopped_with_a_way_on_and_another_is_not() {
    let federation = federation("begun_per_minute = 3\n").await;
    let port = federation.port();
    let walk = Walk::new(&federation, Person::asa()).naming_the_provider();
    for _ in 0..3 {
        let begun = walk.browser.open(port, &walk.attempt.path()).await;
        assert!(begun.location().contains("SAMLRequest="), "{}", begun.location());
    }
    let stopped = walk.browser.open(port, &walk.attempt.path()).await;
    let (page, _, code) = federation.refused(&walk.browser, port, &stopped).await;
    assert_eq!((code.as_str(), page.reply.status.as_u16()), ("browser.too_many", 429));
    assert!(page.first_button().starts_with("https://journal."), "the way back to the service");
    let other = Walk::new(&federation, Person::asa()).naming_the_provider();
    assert!(!other.finish(port).await.id_token.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn guesses_at_a_relying_party_do_not_lock_it_out() {
    let federation = federation("guesses_per_minute = 3\n").await;
    let (port, wire, issuer) = (federation.port(), &federation.wire, &federation.issuer);
    let guesser = RelyingParty {
        authentication: Authentication::Basic("a guess".to_owned()),
        ..federation.party().clone()
    };
    let mut walk = Walk::new(&federation, Person::asa());
    walk.until("redeem", port).await;
    let mut said = Vec::new();
    for _ in 0..5 {
        let reply = guesser.redeem(wire, port, issuer, &walk.attempt, "a code").await;
        said.push((reply.status.as_u16(), reply.header(header::RETRY_AFTER).to_owned()));
    }
    let (unproven, limited) = ((401, String::new()), (429, "5".to_owned()));
    assert_eq!(said, [unproven.clone(), unproven.clone(), unproven.clone(), limited.clone(), limited]);
    // Another name has guesses of its own, and the rightful one is served meanwhile.
    let other = RelyingParty { client_id: "annan".to_owned(), ..guesser };
    assert_eq!(other.redeem(wire, port, issuer, &walk.attempt, "a code").await.status, 401);
    assert!(!walk.finish(port).await.id_token.is_empty());
    let codes: Vec<_> = federation.nodes[0].refusals().iter().map(|line| line["code"].clone()).collect();
    assert!(codes.contains(&"relying_party.too_many".into()), "{codes:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relying_party_that_asks_too_often_waits_and_hinders_no_other() {
    let federation = federation("client_per_second = 1\n").await;
    let (port, wire, issuer) = (federation.port(), &federation.wire, &federation.issuer);
    let walk = Walk::new(&federation, Person::asa());
    let mut said = Vec::new();
    for _ in 0..6 {
        said.push(federation.party().redeem(wire, port, issuer, &walk.attempt, "a code").await);
    }
    assert_eq!(said[0].status, 400, "no such code");
    let limited: Vec<_> = said.iter().filter(|reply| reply.status == 429).collect();
    assert!(!limited.is_empty(), "six at once are more than two");
    assert_eq!(limited[0].json()["error"], "temporarily_unavailable");
    assert_eq!(limited[0].header(header::RETRY_AFTER), "5");
    let other =
        Walk::between(&federation, &federation.relying_parties[1], &federation.granvik, Person::asa());
    assert!(!other.finish(port).await.id_token.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn each_address_takes_bodies_of_its_own_size() {
    let federation = federation("").await;
    let (port, wire) = (federation.port(), &federation.wire);
    let host = federation.issuer.trim_start_matches("http://").to_owned();
    let post = |path: &str, octets: usize| {
        Request::post(path)
            .header(header::HOST, &host)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Full::new(Bytes::from(vec![b'a'; octets])))
            .expect("a request")
    };
    let too_large = |largest: usize| {
        let cause = format!("the body is larger than {largest} octets");
        federation.nodes[0].refusals().iter().filter(|line| line["cause"] == cause.as_str()).count()
    };
    for (path, largest) in [("/oidc/token", 64 * 1024), ("/oidc/userinfo", 32 * 1024)] {
        let reply = wire.send(port, post(path, largest)).await.expect("an answer");
        assert!(
            [400, 401].contains(&reply.status.as_u16()),
            "it is read, and there is nothing in it: {path}"
        );
        assert_eq!(too_large(largest), 0, "{path}");
        // Who sends more may be hung up on before the answer.
        if let Ok(reply) = wire.send(port, post(path, largest + 1)).await {
            assert_eq!(reply.status, 400, "{path}");
        }
        assert_eq!(too_large(largest), 1, "{path}");
    }
    // A large answer of a provider without any cookie of ours is not looked into.
    let sent =
        Browser::new(wire.clone(), &federation.issuer).post(port, "/saml/acs", &"a".repeat(100_000)).await;
    let browser = federation.browser();
    let (_, _, code) = federation.refused(&browser, port, &sent).await;
    assert_eq!(code, "browser.cookie_missing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_beginnings_gives_way_and_others_sign_in() {
    let federation = federation("begun_per_second = 4\n").await;
    let port = federation.port();
    let over = AtomicBool::new(false);
    let flood = async {
        let wire = Arc::new(Wire::from_address(IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2))));
        let mut turned_away = 0;
        while !over.load(Ordering::Relaxed) {
            let walk = Walk::new(&federation, Person::asa()).over(wire.clone()).naming_the_provider();
            let page = walk.browser.open(port, &walk.attempt.path()).await;
            turned_away += usize::from(!page.reply.header(header::LOCATION).contains("SAMLRequest"));
        }
        turned_away
    };
    let honest = async {
        // The flood is a flood only once a whole second has seen it.
        tokio::time::sleep(Duration::from_millis(2_500)).await;
        for _ in 0..4 {
            let (walk, _) = at_provider(&federation).await;
            assert!(!walk.finish(port).await.id_token.is_empty());
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        over.store(true, Ordering::Relaxed);
    };
    let (turned_away, ()) = tokio::join!(flood, honest);
    assert!(turned_away > 20, "{turned_away} of the flood gave way");
    let codes: Vec<_> = federation.nodes[0].refusals().into_iter().map(|line| line["code"].clone()).collect();
    assert!(codes.iter().all(|code| code == "broker.overloaded"), "{codes:?}");
}

/// Serves one document over and over on the loopback address, and gives its port.
fn server(document: String) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a socket");
    let port = listener.local_addr().expect("an address").port();
    thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            let _ = stream.read(&mut [0; 4096]);
            let head =
                format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", document.len());
            let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(document.as_bytes()));
        }
    });
    port
}

#[tokio::test(flavor = "multi_thread")]
async fn metadata_is_added_by_address_where_the_operator_allows_the_network() {
    let allowed = "connections = 1000\n[outbound]\nallow = [\"127.0.0.1\"]\n";
    let federation = federation(allowed).await;
    let url = format!("http://127.0.0.1:{}/idp.xml", server(federation.fjorden.metadata()));
    let said = federation.command(&["metadata", "add", &url, "--organisation", "2321009900"]);
    assert!(said.contains(&federation.fjorden.entity_id), "{said}");
    // Another address of this machine was not named.
    let config = federation.nodes[0].config().to_str().expect("UTF-8").to_owned();
    let elsewhere = url.replace("127.0.0.1", "127.0.0.2");
    let refused =
        program::attempt(federation.folder.path(), &["metadata", "add", &elsewhere, "--config", &config]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && said.contains("127.0.0.2, which is not public"), "{said}");
}
