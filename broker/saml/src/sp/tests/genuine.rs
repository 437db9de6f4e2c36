//! What is accepted, and what comes out of it.

use broker_core::{
    assurance::Assurance,
    attribute::AttributeName,
    failure::FailureCode,
    identifier::ProviderId,
    moment::Moment,
    role::{Completion, Inbound, Upstream},
    subject::SubjectSource,
};
use certs::query_signature::MessageParameter;
use proptest::prelude::*;

use super::*;
use crate::{
    binding::post,
    sp::{SamlSp, SpEntities},
};

fn posted(xml: &str, relay_state: Option<&str>) -> Inbound {
    let broker_core::role::Outbound::Post { fields, .. } =
        post::encode(ACS, MessageParameter::Response, xml.as_bytes(), relay_state)
    else {
        panic!("a form");
    };
    let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(&fields).finish();
    Inbound { path: "/saml/acs".into(), form: Some(form.into_bytes()), ..Inbound::default() }
}

fn with_role<T>(test: impl FnOnce(&SamlSp<'_>, Moment<'_>) -> T) -> T {
    let registry = registry(provider());
    let entities = SpEntities::only(SpSettings::new(SP, ACS));
    let role = SamlSp { entities: &entities, registry: &registry, signer: &*KEY, decryption: &[] };
    test(&role, Moment { now: NOW.plus(2), entropy: &NoEntropy })
}

#[test]
fn every_step_of_a_genuine_answer_is_taken_in_order() {
    for signed in [Signed::Response, Signed::Assertion, Signed::Both] {
        let case = Case::genuine().signed(signed);
        let run = case.run_xml(&case.written("", ""));
        assert!(run.result.is_ok(), "{:?}", run.result);
        assert_eq!(run.steps.iter().map(|step| step.id).collect::<Vec<_>>(), CheckId::ALL);
        assert!(
            run.steps.iter().all(|step| matches!(step.verdict, Verdict::Passed | Verdict::NotApplicable))
        );
    }
}

#[test]
fn nothing_after_a_broken_rule_is_looked_at() {
    let case = Case::genuine();
    let run = case.run_xml(&case.written("<saml:Audience>", "<saml:Audience>x"));
    for step in &run.steps {
        let is_after = step.id > CheckId::Audience;
        assert_eq!(step.verdict == Verdict::NotReached, is_after, "{}", step.id.as_str());
    }
}

#[test]
fn every_rule_has_its_own_name_and_a_source() {
    let names: std::collections::BTreeSet<_> = CheckId::ALL.iter().map(|id| id.as_str()).collect();
    assert_eq!(names.len(), CheckId::ALL.len());
    assert!(CheckId::ALL.iter().all(|id| id.spec().contains("SAML") || id.spec().contains("SC-")));
}

#[test]
fn what_our_own_writer_issues_is_accepted() {
    for signed in [Signed::Response, Signed::Assertion, Signed::Both] {
        let case = Case::genuine().signed(signed);
        let xml = String::from_utf8(case.issue.issue(&*KEY).expect("signed")).expect("UTF-8");
        assert_eq!(broken_rule(&case.run_xml(&xml)), None, "{signed:?}");
    }
}

#[test]
fn what_was_said_comes_out() {
    let mut case = Case::genuine();
    case.issue.authorities = vec!["https://inner.example".into()];
    case.issue.session_ends = Some(NOW.plus(3600));
    let (result, once) = case.run_xml(&case.written("", "")).result.expect("accepted");
    let result = result.into_value();
    assert_eq!(result.provider, ProviderId::from(IDP));
    assert_eq!(result.attributes.single(AttributeName::DisplayName), Some("Anna Ålm"));
    assert_eq!(result.assurance, Some(Assurance::new(LOA3)));
    assert_eq!(result.authenticated_at, NOW.plus(-5));
    assert_eq!(result.session_ends, Some(NOW.plus(3600)));
    assert_eq!(result.authorities, ["https://inner.example"]);
    let sources: Vec<_> = result.subjects.iter().map(|subject| subject.source).collect();
    assert_eq!(sources, [SubjectSource::SubjectId, SubjectSource::PersistentNameId]);
    assert_eq!(once.until, NOW.plus(300 + 60));
    assert!(once.name.ends_with(b"_assertion1"));
}

#[test]
fn the_mark_lasts_no_longer_than_the_message_could() {
    let mut case = Case::genuine();
    case.issue.lifetime_seconds = 10 * 365 * 86_400;
    let (_, once) = case.run_xml(&case.written("", "")).result.expect("accepted");
    assert_eq!(once.until, NOW.plus(300 + 60));
}

#[test]
fn the_role_completes_a_login() {
    with_role(|role, moment| {
        let case = Case::genuine();
        let message = posted(&case.written("", ""), None);
        assert_eq!(role.handle(&message), Ok(Some(HANDLE.to_owned())));
        let remembered = sent().remember().expect("remembered");
        let completion =
            role.complete(&message, &ProviderId::from(IDP), &remembered, moment).expect("accepted");
        assert!(matches!(completion, Completion::Done { .. }));
    });
}

/// OIDC Core 5.5.1.1: a voluntary level fails no login. The refusal comes signed or not.
#[test]
fn a_refused_wish_is_told_from_a_refused_demand() {
    use crate::{
        idp::ErrorToIssue,
        status::{SecondLevel, TopLevel},
    };
    let outcome = |sent: &SentRequest, second_level: Option<SecondLevel>, signed: bool| {
        let error = ErrorToIssue {
            issuer: IDP.into(),
            response_id: "_r".into(),
            issued_at: NOW,
            acs_url: ACS.into(),
            in_response_to: sent.id.clone(),
            top_level: TopLevel::Requester,
            second_level,
        };
        let xml = String::from_utf8(error.issue(&*KEY).expect("written")).expect("text");
        let xml = if signed { xml } else { without_signature(&xml) };
        with_role(|role, moment| {
            let remembered = sent.remember().expect("remembered");
            let told = role.complete(&posted(&xml, None), &ProviderId::from(IDP), &remembered, moment);
            match told {
                Ok(Completion::WishRefused(refusal)) => (true, refusal.code),
                Ok(_) => panic!("nobody is proven"),
                Err(failure) => (false, failure.code),
            }
        })
    };
    let wish = SentRequest { wished: true, asked: vec![Assurance::new(LOA3)], ..sent() };
    let no_context = Some(SecondLevel::NoAuthnContext);
    for signed in [true, false] {
        assert_eq!(outcome(&wish, no_context, signed), (true, FailureCode::ProviderNoAuthnContext));
    }
    let unsupported = Some(SecondLevel::RequestUnsupported);
    assert_eq!(outcome(&wish, unsupported, true), (true, FailureCode::ProviderRequestRefused));
    assert_eq!(outcome(&wish, None, true), (true, FailureCode::ProviderRequestRefused), "a plain Requester");
    for (second_level, code) in [
        (SecondLevel::AuthnFailed, FailureCode::ProviderDenied),
        (SecondLevel::Cancel, FailureCode::ProviderCancelled),
        (SecondLevel::NoPassive, FailureCode::ProviderNoPassive),
    ] {
        assert_eq!(outcome(&wish, Some(second_level), true), (false, code), "not about levels");
    }
    let demand = SentRequest { wished: false, ..wish.clone() };
    assert_eq!(outcome(&demand, no_context, true), (false, FailureCode::ProviderNoAuthnContext));
    let nothing = SentRequest { asked: vec![], ..wish };
    assert_eq!(outcome(&nothing, no_context, true), (false, FailureCode::ProviderNoAuthnContext));
}

fn without_signature(xml: &str) -> String {
    let end = "</ds:Signature>";
    let (start, stop) = (xml.find("<ds:Signature").expect("signed"), xml.find(end).expect("signed"));
    format!("{}{}", &xml[..start], &xml[stop + end.len()..])
}

#[test]
fn the_handle_comes_from_in_response_to_and_not_from_relay_state() {
    with_role(|role, _| {
        let case = Case::genuine();
        let message = posted(&case.written("", ""), Some("something else"));
        assert_eq!(role.handle(&message), Ok(Some(HANDLE.to_owned())));
        let foreign = case.written(&format!("_{HANDLE}"), "id-of-somebody-else");
        assert_eq!(role.handle(&posted(&foreign, None)), Ok(None));
        assert_eq!(role.handle(&posted(&foreign, Some(HANDLE))), Ok(Some(HANDLE.to_owned())));
    });
}

#[test]
fn the_handle_is_found_in_every_way_of_writing_the_start_tag() {
    use super::super::response::in_response_to;
    const NAMESPACE: &str = "xmlns:p=\"urn:oasis:names:tc:SAML:2.0:protocol\"";
    for (xml, expected) in [
        (format!("<p:Response {NAMESPACE} InResponseTo=\"_a\"><p:Status"), Some("_a")),
        (format!("<p:Response {NAMESPACE} InResponseTo='_a'/>"), Some("_a")),
        (
            format!("<?xml version='1.0'?>\n<p:Response {NAMESPACE}\n Consent='a>b' InResponseTo='_a' >"),
            Some("_a"),
        ),
        (format!("<!-- > --><p:Response {NAMESPACE} InResponseTo='_a'></p:Response>"), Some("_a")),
        // The start tag alone is read, whatever stands around it: anybody may send it.
        (format!("<!-- a -->\n<?a b?><!----><p:Response {NAMESPACE} InResponseTo='_a'><"), Some("_a")),
        (format!("\u{FEFF}<p:Response {NAMESPACE} InResponseTo='_a'>"), Some("_a")),
        (format!("<!-- <p:Response {NAMESPACE} InResponseTo='_a'>"), None),
        (format!("<!-- a --><!DOCTYPE a><p:Response {NAMESPACE} InResponseTo='_a'/>"), None),
        (format!("<p:Response {NAMESPACE} InResponseTo='_a' Consent='{}'/>", "a".repeat(16 * 1024)), None),
        (format!("<p:Response {NAMESPACE} Destination=\"InResponseTo='_b'\">"), None),
        (format!("<p:LogoutResponse {NAMESPACE} InResponseTo='_a'>"), None),
        ("<p:Response InResponseTo='_a'>".to_owned(), None),
        (format!("<p:Response {NAMESPACE} InResponseTo='_a"), None),
        (format!("<!DOCTYPE a><p:Response {NAMESPACE} InResponseTo='_a'>"), None),
        (String::new(), None),
    ] {
        assert_eq!(in_response_to(xml.as_bytes()).ok().flatten().as_deref(), expected, "{xml}");
    }
}

#[test]
fn a_long_message_is_decoded_as_far_as_its_start_tag() {
    with_role(|role, _| {
        let xml = Case::genuine().written("", "");
        let (filler, found) = ("a".repeat(60_000), Ok(Some(HANDLE.to_owned())));
        assert_eq!(role.handle(&posted(&format!("{xml}<!--{filler}-->"), None)), found);
        assert_eq!(
            role.handle(&posted(&format!("<!--{filler}-->{xml}"), None)),
            found,
            "what is long comes first"
        );
        for unreadable in [filler.clone(), format!("<{filler}"), format!("{filler}{xml}")] {
            let malformed = role.handle(&posted(&unreadable, None)).map_err(|failure| failure.code);
            assert_eq!(malformed, Err(FailureCode::MessageMalformed));
        }
    });
}

#[test]
fn an_unsolicited_answer_is_told_from_one_that_cannot_be_read() {
    with_role(|role, moment| {
        let case = Case::genuine();
        let xml = case.written(&format!(" InResponseTo=\"_{HANDLE}\""), "");
        assert_eq!(role.handle(&posted(&xml, None)), Ok(None));
        assert_eq!(role.handle(&posted(&xml, Some("å"))), Ok(None));
        for unreadable in ["", "<a", "<a/>", "<!DOCTYPE a><a/>"] {
            let malformed = role.handle(&posted(unreadable, None)).map_err(|failure| failure.code);
            assert_eq!(malformed, Err(FailureCode::MessageMalformed), "{unreadable}");
            // What came beside it says whose it is.
            let found = role.handle(&posted(unreadable, Some(HANDLE)));
            assert_eq!(found, Ok(Some(HANDLE.to_owned())), "{unreadable}");
        }
        let not_base64 = format!("SAMLResponse=%21&RelayState={HANDLE}");
        let not_base64 = Inbound { form: Some(not_base64.into_bytes()), ..Inbound::default() };
        assert_eq!(role.handle(&not_base64), Ok(Some(HANDLE.to_owned())));
        let message = posted(&xml, Some(HANDLE));
        let remembered = sent().remember().expect("remembered");
        let failure =
            role.complete(&message, &ProviderId::from(IDP), &remembered, moment).expect_err("refused");
        assert_eq!(failure.code, FailureCode::Unsolicited);
    });
}

#[test]
fn a_response_in_a_query_is_refused() {
    with_role(|role, moment| {
        let case = Case::genuine();
        let message = crate::binding::redirect::deflate(case.written("", "").as_bytes()).expect("deflated");
        let query = certs::query_signature::signed_query(MessageParameter::Response, &message, None, &*KEY)
            .expect("signed");
        let message = Inbound { path: "/saml/acs".into(), query: Some(query), ..Inbound::default() };
        assert_eq!(role.handle(&message).map_err(|failure| failure.code), Err(FailureCode::MessageMalformed));
        let remembered = sent().remember().expect("remembered");
        let failure =
            role.complete(&message, &ProviderId::from(IDP), &remembered, moment).expect_err("refused");
        assert_eq!(failure.code, FailureCode::MessageMalformed);
    });
}

#[test]
fn a_provider_with_expired_metadata_is_not_heard() {
    let case = Case::genuine();
    let message = posted(&case.written("", ""), None);
    let remembered = sent().remember().expect("remembered");
    for (until, expected) in [(NOW.plus(3), None), (NOW.plus(2), Some(FailureCode::MetadataExpired))] {
        let registry = registry(SamlProvider { valid_until: Some(until), ..provider() });
        let entities = SpEntities::only(SpSettings::new(SP, ACS));
        let role = SamlSp { entities: &entities, registry: &registry, signer: &*KEY, decryption: &[] };
        let moment = Moment { now: NOW.plus(2), entropy: &NoEntropy };
        let result = role.complete(&message, &ProviderId::from(IDP), &remembered, moment);
        assert_eq!(result.err().map(|failure| failure.code), expected);
    }
}

#[test]
fn a_suspended_key_verifies_nothing_and_the_key_that_verified_is_known() {
    use broker_core::suspension::{KeyFingerprint, Suspensions};
    let case = Case::genuine();
    let message = posted(&case.written("", ""), None);
    let remembered = sent().remember().expect("remembered");
    let (this, other) = (KEY.public_key().clone(), OTHER_KEY.public_key().clone());
    let print = |key: &certs::PublicKey| KeyFingerprint::new(*key.thumbprint().as_bytes());
    let complete = |keys: Vec<certs::PublicKey>, suspended: &[KeyFingerprint]| {
        let suspensions = Suspensions { keys: suspended.iter().copied().collect(), ..Suspensions::default() };
        let registry =
            registry(SamlProvider { signing_keys: keys, ..provider() }).with_suspensions(suspensions);
        let entities = SpEntities::only(SpSettings::new(SP, ACS));
        let role = SamlSp { entities: &entities, registry: &registry, signer: &*KEY, decryption: &[] };
        let moment = Moment { now: NOW, entropy: &NoEntropy };
        match role.complete(&message, &ProviderId::from(IDP), &remembered, moment) {
            Ok(Completion::Done { result, .. }) => Ok(result.value().key),
            Ok(_) => panic!("not done"),
            Err(failure) => Err(failure.code),
        }
    };
    let both = || vec![this.clone(), other.clone()];
    assert_eq!(complete(both(), &[]), Ok(Some(print(&this))));
    assert_eq!(
        complete(both(), &[print(&other)]),
        Ok(Some(print(&this))),
        "another key is none of its business"
    );
    assert_eq!(complete(both(), &[print(&this)]), Err(FailureCode::SignatureInvalid));
    assert_eq!(complete(vec![this.clone()], &[print(&this)]), Err(FailureCode::KeySuspended), "the only one");
}

#[test]
fn a_provider_without_a_usable_key_takes_no_login() {
    let registry = registry(SamlProvider { signing_keys: vec![], ..provider() });
    let entities = SpEntities::only(SpSettings::new(SP, ACS));
    let role = SamlSp { entities: &entities, registry: &registry, signer: &*KEY, decryption: &[] };
    let moment = Moment { now: NOW.plus(2), entropy: &NoEntropy };
    let message = posted(&Case::genuine().written("", ""), None);
    let remembered = sent().remember().expect("remembered");
    let refused = role.complete(&message, &ProviderId::from(IDP), &remembered, moment).expect_err("refused");
    assert_eq!(refused.code, FailureCode::ProviderUnusable);
    let mut case = Case::genuine();
    case.provider.signing_keys.clear();
    let failure = case.run_xml(&case.written("", "")).result.expect_err("refused");
    assert_eq!(failure.code, FailureCode::SignatureInvalid, "nothing is verified by no key");
}

#[test]
fn no_step_shows_who_it_is() {
    let case = Case::genuine();
    let run = case.run_xml(&case.written("", ""));
    let shown = format!("{:?} {:?}", run.steps, run.result);
    for secret in ["Ålm", "aa01", "p1"] {
        assert!(!shown.contains(secret), "{secret} is shown");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_octets_panic(octets in proptest::collection::vec(any::<u8>(), 0..300)) {
        let case = Case::genuine();
        let expected = Expected { provider: &case.provider, settings: &case.settings, sent: &case.sent, decryption: &[], now: case.now };
        prop_assert!(run(&octets, &expected).result.is_err());
        let _ = super::super::response::in_response_to(&octets);
        prop_assert!(super::super::response::run_form(Some(&octets), &expected).result.is_err());
    }

    #[test]
    fn no_cut_or_changed_answer_panics_or_is_accepted_as_somebody_else(at in 0_usize..4000, octet in any::<u8>()) {
        let case = Case::genuine();
        let mut octets = case.written("", "").into_bytes();
        let at = at % octets.len();
        octets[at] = octet;
        let expected = Expected { provider: &case.provider, settings: &case.settings, sent: &case.sent, decryption: &[], now: case.now };
        if let Ok((result, _)) = run(&octets, &expected).result {
            prop_assert_eq!(result.value().attributes.single(AttributeName::SubjectId), Some("aa01@granvik.example"));
        }
        octets.truncate(at);
        prop_assert!(run(&octets, &expected).result.is_err());
    }
}
