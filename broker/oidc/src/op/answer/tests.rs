//! The answer, in both modes, and how little an error says.

use broker_core::{
    failure::{Failure, FailureCode},
    role::{Downstream as _, Outbound, Outcome},
};

use super::super::scene::{ADDRESS, Asked, ISSUER, NOW, Scene, at};

fn pairs(url: &str) -> Vec<(String, String)> {
    let query = url.split_once('?').expect("a query").1;
    form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

#[test]
fn the_code_comes_back_with_state_and_issuer() {
    let scene = Scene::genuine();
    let login = scene.login(&Asked::genuine());
    let answer = scene
        .op()
        .answer(&login.context().return_to, Outcome::Released(&login), Some("the code"), at(NOW))
        .expect("an answer");
    let Outbound::Redirect { url } = answer else { panic!("a redirect") };
    assert!(url.starts_with("https://tidbok.example/callback?code="));
    assert_eq!(
        pairs(&url),
        [("code", "the code"), ("state", "a state&=%+"), ("iss", ISSUER)]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
    );
}

#[test]
fn a_form_post_carries_the_same_fields() {
    let scene = Scene::genuine();
    let login = scene.login(&Asked::genuine().with("response_mode", "form_post").without("state"));
    let answer = scene
        .op()
        .answer(&login.context().return_to, Outcome::Released(&login), Some("code"), at(NOW))
        .expect("an answer");
    let fields = vec![("code".to_owned(), "code".to_owned()), ("iss".to_owned(), ISSUER.to_owned())];
    assert_eq!(answer, Outbound::Post { action: ADDRESS.into(), fields });
}

#[test]
fn a_query_of_the_registered_address_is_kept() {
    let scene = Scene::genuine();
    let login = scene.login(&Asked::genuine().with("redirect_uri", "https://tidbok.example/other?tenant=1"));
    let answer = scene
        .op()
        .answer(&login.context().return_to, Outcome::Released(&login), Some("c"), at(NOW))
        .expect("an answer");
    let Outbound::Redirect { url } = answer else { panic!("a redirect") };
    assert!(url.starts_with("https://tidbok.example/other?tenant=1&code=c&state="), "{url}");
}

#[test]
fn a_login_is_not_answered_without_a_code_or_to_another_address() {
    let scene = Scene::genuine();
    let login = scene.login(&Asked::genuine());
    let other = scene.login(&Asked::genuine().with("state", "another"));
    let answer = |return_to, code| {
        scene.op().answer(return_to, Outcome::Released(&login), code, at(NOW)).map_err(|failure| failure.code)
    };
    assert!(answer(&login.context().return_to, Some("c")).is_ok());
    assert_eq!(answer(&login.context().return_to, None), Err(FailureCode::Internal));
    assert_eq!(answer(&other.context().return_to, Some("c")), Err(FailureCode::Internal));
}

#[test]
fn no_failure_tells_its_cause_or_its_code() {
    let scene = Scene::genuine();
    let login = scene.login(&Asked::genuine());
    for code in FailureCode::ALL {
        let failure = Failure::new(*code, "INTERNAL https://idp.granvik.example 191212121212");
        let answer = scene
            .op()
            .answer(&login.context().return_to, Outcome::Failed(&failure), None, at(NOW))
            .expect("an answer");
        let Outbound::Redirect { url } = answer else { panic!("a redirect") };
        let said = pairs(&url);
        let names: Vec<_> = said.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["error", "error_description", "state", "iss"]);
        for leak in ["INTERNAL", "granvik", "1912", code.as_str()] {
            assert!(said.iter().all(|(_, value)| !value.contains(leak)), "{code}: {leak}");
        }
    }
}
