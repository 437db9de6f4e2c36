//! The steps, each broken alone beside a login that passes.

use std::{collections::BTreeSet, sync::Arc};

use super::{Policy, ReleasedIdentity, release};
use crate::{
    assurance::{Assurance, AssuranceProfile, OutputMap},
    attribute::{AttributeName, Attributes},
    authority::{Authority, Narrowing},
    connection::{Connections, Terms},
    failure::FailureCode,
    identifier::{ProviderId, RelyingPartyId},
    moment::Timestamp,
    organisation::{LocalText, Organisation, OrganisationNumber, SupportContact},
    policy::{Protocol, ProviderPolicy, RelyingPartyPolicy},
    request::{
        AuthenticationRequest, ExpectedSubject, Freshness, LoginHint, RequestedAssurance, RequestedAttribute,
    },
    result::{AuthenticationResult, PassingOn},
    subject::{SubjectCandidate, SubjectSecret, SubjectSource},
    suspension::Suspensions,
};

const LOA3: &str = "http://id.elegnamnden.se/loa/1.0/loa3";
const UNCERTIFIED3: &str = "http://id.swedenconnect.se/loa/1.0/uncertified-loa3";

struct FixedSecret;
impl SubjectSecret for FixedSecret {
    fn pseudonym(&self, input: &[u8]) -> [u8; 32] {
        let mut folded = [7_u8; 32];
        for (at, byte) in input.iter().enumerate() {
            folded[at % 32] = folded[at % 32].wrapping_mul(31).wrapping_add(*byte);
        }
        folded
    }
}

#[derive(Clone)]
pub(super) struct Case {
    pub(super) result: AuthenticationResult,
    pub(super) request: AuthenticationRequest,
    pub(super) provider: ProviderPolicy,
    pub(super) relying_party: RelyingPartyPolicy,
    /// How the provider is held tighter than its organisation.
    pub(super) narrowing: Narrowing,
    /// What employers agreed to.
    pub(super) connections: Connections,
}

impl Case {
    pub(super) fn genuine() -> Self {
        let organisation = Arc::new(Organisation {
            number: OrganisationNumber::parse("2021006883").expect("a valid number"),
            name: LocalText::default(),
            domains: BTreeSet::from(["granvik.example".to_owned()]),
            scopes: BTreeSet::from(["granvik.example".to_owned()]),
            hsa_prefixes: BTreeSet::from(["SE2021006883-".to_owned()]),
            ceiling: vec![Assurance::new(LOA3)],
            entitled: BTreeSet::new(),
            may_assert: BTreeSet::new(),
            support: SupportContact::default(),
            aliases: BTreeSet::new(),
            logo: None,
            relying_parties: None,
        });
        let mut attributes = Attributes::new();
        attributes.add(AttributeName::DisplayName, "Anna Alm");
        attributes.add(AttributeName::OrgAffiliation, "aa01@2021006883");
        attributes.add(AttributeName::Mail, "anna@granvik.example");
        attributes.add(AttributeName::OrganisationName, "Another organisation");
        let wanted = [
            AttributeName::DisplayName,
            AttributeName::OrgAffiliation,
            AttributeName::Mail,
            AttributeName::OrganisationNumber,
            AttributeName::PersonalIdentityNumber,
        ];
        Self {
            result: AuthenticationResult {
                provider: ProviderId::from("https://idp.granvik.example"),
                key: None,
                subjects: vec![SubjectCandidate {
                    source: SubjectSource::SubjectId,
                    value: "aa01@granvik.example".into(),
                }],
                attributes,
                assurance: Some(Assurance::new(LOA3)),
                authenticated_at: Timestamp(1_000),
                session_ends: None,
                authorities: Vec::new(),
                passing_on: PassingOn::default(),
            },
            request: AuthenticationRequest {
                relying_party: RelyingPartyId::from("journal"),
                providers: Vec::new(),
                assurance: RequestedAssurance::default(),
                freshness: Freshness::default(),
                passive: false,
                attributes: wanted.into_iter().map(|name| RequestedAttribute::new(name, false)).collect(),
                languages: Vec::new(),
                requesters: Vec::new(),
                hops_left: None,
                login_hint: None,
                expected_subject: None,
                message: None,
            },
            provider: ProviderPolicy {
                id: ProviderId::from("https://idp.granvik.example"),
                protocol: Protocol::Saml,
                organisation: organisation.clone(),
                organisations: Vec::new(),
                authority: Authority::of(&organisation),
                display_name: LocalText::default(),
                keywords: Vec::new(),
                subject_source: SubjectSource::SubjectId,
                assurance: vec![Assurance::new(LOA3)],
                hidden: false,
                behind: BTreeSet::new(),
            },
            relying_party: RelyingPartyPolicy {
                id: RelyingPartyId::from("journal"),
                protocol: Protocol::Oidc,
                organisation,
                display_name: LocalText::default(),
                entitled: BTreeSet::from(wanted),
                sector: "2021006883|journal.example".into(),
                providers: None,
                start_url: None,
                privacy_url: None,
                assurance_profile: AssuranceProfile::Plain,
                fail_on_missing_attribute: false,
            },
            narrowing: Narrowing::default(),
            connections: Connections::default(),
        }
    }

    pub(super) fn run(mut self) -> Result<ReleasedIdentity, FailureCode> {
        self.provider.authority = Authority::of(&self.provider.organisation).narrowed(&self.narrowing);
        let policy = Policy {
            provider: &self.provider,
            relying_party: &self.relying_party,
            output_map: &OutputMap::new(false),
            subject_secret: &FixedSecret,
            suspensions: &Suspensions::default(),
            connections: &self.connections,
        };
        release(self.result, &self.request, policy).map_err(|failure| failure.code)
    }
}

#[test]
fn the_genuine_login_is_released() {
    let identity = Case::genuine().run().expect("released");
    assert_eq!(identity.attributes.single(AttributeName::DisplayName), Some("Anna Alm"));
    assert_eq!(identity.assurance, Some(Assurance::new(UNCERTIFIED3)));
    assert_eq!(identity.authenticated_at, Timestamp(1_000));
}

#[test]
fn organisation_name_and_number_come_from_the_registry() {
    let mut case = Case::genuine();
    case.result.attributes.add(AttributeName::OrganisationNumber, "202100-6883");
    let identity = case.run().expect("released");
    assert_eq!(identity.attributes.values(AttributeName::OrganisationNumber), ["2021006883"]);
    assert!(identity.attributes.values(AttributeName::OrganisationName).is_empty(), "the record has no name");
}

#[test]
fn what_the_employer_has_not_agreed_to_stays_and_is_named() {
    let mut case = Case::genuine();
    let terms = Terms { open: true, attributes: Some(BTreeSet::from([AttributeName::DisplayName])) };
    let employer = case.provider.organisation.number.clone();
    case.connections.agreements.entry(employer).or_default().insert("journal".into(), terms);
    let identity = case.run().expect("released");
    assert_eq!(identity.attributes.names().collect::<Vec<_>>(), [AttributeName::DisplayName]);
    // Nothing is said of what was not told at all.
    assert!(identity.not_agreed.contains(&AttributeName::Mail));
    assert!(!identity.not_agreed.contains(&AttributeName::PersonalIdentityNumber));
    let open = Case::genuine().run().expect("released");
    assert!(open.not_agreed.is_empty() && !open.attributes.values(AttributeName::Mail).is_empty());
    assert_eq!(open.subject, identity.subject, "who it is stays the same");
}

#[test]
fn an_essential_attribute_that_is_not_agreed_to_fails_where_the_profile_says_so() {
    let mut case = Case::genuine();
    case.relying_party.fail_on_missing_attribute = true;
    case.request.attributes = vec![RequestedAttribute::new(AttributeName::Mail, true)];
    assert!(case.clone().run().is_ok());
    case.connections.before.insert("journal".into(), BTreeSet::from([AttributeName::DisplayName]));
    assert_eq!(case.run().expect_err("missing"), FailureCode::AttributeMissing);
}

#[test]
fn a_foreign_scope_fails_the_login() {
    for foreign in ["aa01@5560160680", "aa01@2021006883@evil.example", "2021006883", "@2021006883"] {
        let mut case = Case::genuine();
        case.result.attributes.set(AttributeName::OrgAffiliation, vec![foreign.to_owned()]);
        assert_eq!(case.run().expect_err(foreign), FailureCode::AttributeOutsideAuthority);
    }
}

#[test]
fn a_foreign_subject_fails_the_login() {
    let mut case = Case::genuine();
    case.result.subjects[0].value = "aa01@region.example".into();
    assert_eq!(case.run().expect_err("foreign"), FailureCode::AttributeOutsideAuthority);
}

#[test]
fn a_foreign_hsa_id_fails_the_login() {
    let mut case = Case::genuine();
    case.result.attributes.add(AttributeName::EmployeeHsaId, "SE2321000016-AB12");
    assert_eq!(case.run().expect_err("foreign"), FailureCode::AttributeOutsideAuthority);
}

#[test]
fn a_mail_address_elsewhere_is_dropped() {
    let mut case = Case::genuine();
    case.result.attributes.add(AttributeName::Mail, "anna@evilgranvik.example");
    let identity = case.run().expect("released");
    assert_eq!(identity.attributes.values(AttributeName::Mail), ["anna@granvik.example"]);
}

#[test]
fn a_personal_number_leaves_only_where_the_record_lets_it_be_asserted() {
    let mut case = Case::genuine();
    case.result.attributes.add(AttributeName::PersonalIdentityNumber, "191212121212");
    assert!(
        case.run().expect("released").attributes.values(AttributeName::PersonalIdentityNumber).is_empty()
    );
    let mut case = Case::genuine();
    case.result.attributes.add(AttributeName::PersonalIdentityNumber, "191212121212");
    Arc::make_mut(&mut case.provider.organisation).may_assert.insert(AttributeName::PersonalIdentityNumber);
    assert_eq!(
        case.run().expect("released").attributes.values(AttributeName::PersonalIdentityNumber),
        ["191212121212"]
    );
}

#[test]
fn what_was_not_requested_does_not_leave() {
    let mut case = Case::genuine();
    case.request.attributes.retain(|wanted| wanted.name != AttributeName::Mail);
    assert!(case.run().expect("released").attributes.values(AttributeName::Mail).is_empty());
}

#[test]
fn what_is_not_entitled_does_not_leave() {
    let mut case = Case::genuine();
    case.relying_party.entitled.remove(&AttributeName::Mail);
    assert!(case.run().expect("released").attributes.values(AttributeName::Mail).is_empty());
}

#[test]
fn an_essential_attribute_fails_the_login_only_where_the_profile_says_so() {
    let mut case = Case::genuine();
    case.request.attributes[4].essential = true;
    case.relying_party.fail_on_missing_attribute = true;
    assert_eq!(case.run().expect_err("missing"), FailureCode::AttributeMissing);
    let mut case = Case::genuine();
    case.request.attributes[4].essential = true;
    assert!(case.run().is_ok());
}

#[test]
fn a_level_above_the_ceiling_fails_the_login() {
    let mut case = Case::genuine();
    let loa4 = Assurance::new("http://id.elegnamnden.se/loa/1.0/loa4");
    case.provider.assurance.push(loa4.clone());
    case.result.assurance = Some(loa4);
    assert_eq!(case.run().expect_err("above"), FailureCode::AssuranceAboveCeiling);
}

#[test]
fn a_level_that_the_provider_is_not_registered_for_fails_the_login() {
    let mut case = Case::genuine();
    case.result.assurance = Some(Assurance::new("http://id.elegnamnden.se/loa/1.0/loa2"));
    assert_eq!(case.run().expect_err("unregistered"), FailureCode::AssuranceAboveCeiling);
}

#[test]
fn a_provider_that_is_registered_for_no_level_proves_none() {
    let mut case = Case::genuine();
    case.provider.assurance.clear();
    assert_eq!(case.run().expect("released").assurance, None);
    let mut case = Case::genuine();
    case.provider.assurance.clear();
    case.request.assurance =
        RequestedAssurance { levels: vec![Assurance::new(UNCERTIFIED3)], essential: true, some: false };
    assert_eq!(case.run().expect_err("no level"), FailureCode::AssuranceTooLow);
}

#[test]
fn a_word_of_the_providers_own_is_no_level() {
    let mut case = Case::genuine();
    case.result.assurance =
        Some(Assurance::new("urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"));
    assert_eq!(case.run().expect("released").assurance, None);
}

#[test]
fn an_essential_level_that_is_not_met_fails_and_a_voluntary_one_does_not() {
    let mut case = Case::genuine();
    case.request.assurance =
        RequestedAssurance { levels: vec![Assurance::new(LOA3)], essential: true, some: false };
    assert_eq!(case.run().expect_err("unreviewed"), FailureCode::AssuranceTooLow);
    let mut case = Case::genuine();
    case.request.assurance =
        RequestedAssurance { levels: vec![Assurance::new(LOA3)], essential: false, some: false };
    assert!(case.run().is_ok());
    let mut case = Case::genuine();
    case.request.assurance =
        RequestedAssurance { levels: vec![Assurance::new(UNCERTIFIED3)], essential: true, some: false };
    assert!(case.run().is_ok());
}

#[test]
fn there_is_no_fall_back_for_the_pinned_subject_source() {
    let mut case = Case::genuine();
    case.provider.subject_source = SubjectSource::PersistentNameId;
    assert_eq!(case.run().expect_err("missing"), FailureCode::SubjectMissing);
    let mut case = Case::genuine();
    case.result
        .subjects
        .push(SubjectCandidate { source: SubjectSource::SubjectId, value: "bb02@granvik.example".into() });
    assert_eq!(case.run().expect_err("ambiguous"), FailureCode::SubjectMissing);
}

#[test]
fn two_values_of_what_has_one_do_not_leave() {
    let asserting = |numbers: &[&str]| {
        let mut case = Case::genuine();
        Arc::make_mut(&mut case.provider.organisation)
            .may_assert
            .insert(AttributeName::PersonalIdentityNumber);
        for number in numbers {
            case.result.attributes.add(AttributeName::PersonalIdentityNumber, *number);
        }
        let released = case.run().expect("released");
        released.attributes.values(AttributeName::PersonalIdentityNumber).len()
    };
    assert_eq!(asserting(&["191212121212"]), 1);
    assert_eq!(asserting(&["191212121212", "197705232382"]), 0);
}

#[test]
fn a_word_of_the_providers_own_leaves_where_both_records_have_it() {
    let own = Assurance::new("https://refeds.org/profile/mfa");
    let mut case = Case::genuine();
    case.provider.assurance.push(own.clone());
    Arc::make_mut(&mut case.provider.organisation).ceiling.push(own.clone());
    case.result.assurance = Some(own.clone());
    assert_eq!(case.run().expect("released").assurance, Some(own.clone()));
    let mut case = Case::genuine();
    case.provider.assurance.push(own.clone());
    case.result.assurance = Some(own);
    assert_eq!(case.run().expect("released").assurance, None, "the organisation's record is silent");
}

#[test]
fn a_scope_that_only_unicode_folds_into_ours_is_foreign() {
    let with = |hsa_id: &str| {
        let mut case = Case::genuine();
        case.result.attributes.add(AttributeName::EmployeeHsaId, hsa_id);
        case.run().map(|_| ())
    };
    assert_eq!(with("se2021006883-ab12"), Ok(()));
    assert_eq!(with("\u{17f}e2021006883-ab12"), Err(FailureCode::AttributeOutsideAuthority));
    let scoped = |scope: &str| {
        let mut case = Case::genuine();
        let organisation = Arc::make_mut(&mut case.provider.organisation);
        organisation.scopes.insert("kommun.example".to_owned());
        case.result.attributes.set(AttributeName::OrgAffiliation, vec![format!("aa01@{scope}")]);
        case.run().map(|_| ())
    };
    assert_eq!(scoped("KOMMUN.example"), Ok(()));
    assert_eq!(scoped("\u{212a}ommun.example"), Err(FailureCode::AttributeOutsideAuthority));
}

fn passed_on(hops_left: Option<u32>, audiences: Option<&[&str]>) -> Result<PassingOn, FailureCode> {
    let mut case = Case::genuine();
    let audiences = audiences.map(|names| names.iter().map(|name| (*name).to_owned()).collect());
    case.result.passing_on = PassingOn { hops_left, audiences };
    case.run().map(|identity| identity.passing_on)
}

#[test]
fn what_may_not_be_passed_on_is_not() {
    assert_eq!(passed_on(None, None), Ok(PassingOn::default()));
    assert_eq!(passed_on(Some(0), None), Err(FailureCode::ProxyRestricted));
    let left = |hops| Ok(PassingOn { hops_left: Some(hops), audiences: None });
    assert_eq!(passed_on(Some(1), None), left(0), "we are the last hop");
    assert_eq!(passed_on(Some(3), None), left(2), "one less for the next");
}

#[test]
fn it_is_passed_on_to_those_that_the_provider_names_alone() {
    assert_eq!(passed_on(None, Some(&["journal2", "Journal"])), Err(FailureCode::ProxyRestricted));
    assert_eq!(passed_on(None, Some(&[])), Err(FailureCode::ProxyRestricted));
    let named = passed_on(None, Some(&["other", "journal"])).expect("released");
    assert_eq!(named.audiences, Some(vec!["other".to_owned(), "journal".to_owned()]));
}

#[test]
fn everybody_who_took_part_is_named_and_the_provider_last() {
    let authorities = |told: &[&str]| {
        let mut case = Case::genuine();
        case.result.authorities = told.iter().map(|name| (*name).to_owned()).collect();
        case.run().expect("released").authorities
    };
    assert_eq!(authorities(&[]), ["https://idp.granvik.example"]);
    assert_eq!(authorities(&["inner", "middle"]), ["inner", "middle", "https://idp.granvik.example"]);
    assert_eq!(authorities(&["https://idp.granvik.example"]), ["https://idp.granvik.example"]);
}

#[test]
fn a_provider_speaks_for_those_alone_that_are_registered_behind_it() {
    let by = |told: &[&str]| {
        let mut case = Case::genuine();
        case.provider.behind = BTreeSet::from(["inner".into(), "other".into()]);
        case.result.authorities = told.iter().map(|name| (*name).to_owned()).collect();
        case.run().expect("released").authenticated_by
    };
    let own = ProviderId::from("https://idp.granvik.example");
    assert_eq!(by(&[]), own);
    assert_eq!(by(&["https://idp.norrsken.example"]), own, "another employer's provider");
    assert_eq!(by(&["unknown", "inner", "other"]), ProviderId::from("inner"));
}

#[test]
fn a_value_that_was_not_asked_for_does_not_leave() {
    let asking = |values: &[&str], fail: bool| {
        let mut case = Case::genuine();
        case.result.attributes.add(AttributeName::OrgAffiliation, "bb02@2021006883");
        case.relying_party.fail_on_missing_attribute = fail;
        case.request.attributes[1].essential = true;
        case.request.attributes[1].values = values.iter().map(|value| (*value).to_owned()).collect();
        case.run().map(|identity| identity.attributes.values(AttributeName::OrgAffiliation).to_vec())
    };
    assert_eq!(asking(&[], true), Ok(vec!["aa01@2021006883".into(), "bb02@2021006883".into()]));
    assert_eq!(asking(&["bb02@2021006883"], true), Ok(vec!["bb02@2021006883".into()]));
    assert_eq!(asking(&["cc03@2021006883"], false), Ok(vec![]));
    assert_eq!(asking(&["cc03@2021006883"], true), Err(FailureCode::AttributeMissing));
    assert_eq!(asking(&["AA01@2021006883"], false), Ok(vec![]), "octet by octet");
}

#[test]
fn each_row_of_a_name_holds_by_itself() {
    let mut case = Case::genuine();
    let mut certain = RequestedAttribute::new(AttributeName::DisplayName, false);
    certain.values = vec!["Bo Berg".into()];
    case.request.attributes.push(certain.clone());
    assert_eq!(
        case.run().expect("released").attributes.single(AttributeName::DisplayName),
        Some("Anna Alm"),
        "the other row takes any value"
    );
    let mut case = Case::genuine();
    certain.essential = true;
    case.request.attributes.push(certain);
    case.relying_party.fail_on_missing_attribute = true;
    assert_eq!(case.run().expect_err("not met"), FailureCode::AttributeMissing);
}

#[test]
fn an_essential_wish_is_met_by_the_other_one_of_two() {
    let with = |held: Option<AttributeName>| {
        let mut case = Case::genuine();
        let organisation = Arc::make_mut(&mut case.provider.organisation);
        let both = [AttributeName::PersonalIdentityNumber, AttributeName::CoordinationNumber];
        organisation.may_assert.extend(both);
        case.relying_party.entitled.extend(both);
        case.relying_party.fail_on_missing_attribute = true;
        case.request.attributes.push(RequestedAttribute {
            or: Some(AttributeName::CoordinationNumber),
            ..RequestedAttribute::new(AttributeName::PersonalIdentityNumber, true)
        });
        case.request.attributes.push(RequestedAttribute::new(AttributeName::CoordinationNumber, false));
        if let Some(name) = held {
            case.result.attributes.add(name, "191212121212");
        }
        case.run().map(|_| ())
    };
    assert_eq!(with(Some(AttributeName::PersonalIdentityNumber)), Ok(()));
    assert_eq!(with(Some(AttributeName::CoordinationNumber)), Ok(()));
    assert_eq!(with(None), Err(FailureCode::AttributeMissing));
}

/// OIDC Core 5.5.1: `acr` essential without values.
#[test]
fn a_login_that_must_end_with_a_level_ends_with_one_or_not_at_all() {
    let demanding = || {
        let mut case = Case::genuine();
        case.request.assurance.some = true;
        case
    };
    assert!(demanding().run().expect("LOA 3 is one").assurance.is_some());
    let mut case = demanding();
    case.request.assurance.levels = vec![Assurance::new("http://id.elegnamnden.se/loa/1.0/loa4")];
    assert!(case.run().is_ok(), "and the wish beside it fails nothing");
    for told in [None, Some(Assurance::new("urn:oasis:names:tc:SAML:2.0:ac:classes:Password"))] {
        let mut case = demanding();
        case.result.assurance.clone_from(&told);
        assert_eq!(case.run().map(|_| ()), Err(FailureCode::AssuranceTooLow));
        let mut case = Case::genuine();
        case.result.assurance = told;
        assert!(case.run().is_ok(), "nobody else is disturbed");
    }
}

#[test]
fn a_login_ends_with_the_subject_that_was_asked_for_or_not_at_all() {
    let subject = Case::genuine().run().expect("released").subject.as_str().to_owned();
    let expecting = |expected: &[&str]| {
        let mut case = Case::genuine();
        case.request.expected_subject =
            Some(ExpectedSubject::one_of(expected.iter().map(|sub| (*sub).to_owned())));
        case.run().map(|_| ())
    };
    assert_eq!(expecting(&[&subject]), Ok(()));
    assert_eq!(expecting(&["somebody", &subject]), Ok(()));
    assert_eq!(expecting(&["somebody"]), Err(FailureCode::SubjectMismatch));
    assert_eq!(expecting(&[]), Err(FailureCode::SubjectMismatch));
    assert_eq!(expecting(&[&subject.to_uppercase()]), Err(FailureCode::SubjectMismatch));
}

#[test]
fn what_is_expected_of_a_person_is_not_printed() {
    let mut case = Case::genuine();
    case.request.attributes[0].values = vec!["191212121212".into()];
    case.request.expected_subject = Some(ExpectedSubject::one_of(["191212121212".to_owned()]));
    case.request.login_hint = Some(LoginHint::new("191212121212"));
    assert!(!format!("{:?}", case.request).contains("1912"));
}

#[test]
fn a_trial_says_of_each_attribute_what_a_release_does_with_it() {
    use super::account::{Fate, account};
    let told = |case: &mut Case| {
        case.provider.authority = Authority::of(&case.provider.organisation);
        let policy = Policy {
            provider: &case.provider,
            relying_party: &case.relying_party,
            output_map: &OutputMap::new(false),
            subject_secret: &FixedSecret,
            suspensions: &Suspensions::default(),
            connections: &case.connections,
        };
        let account = account(&case.result, &case.request, policy);
        assert_eq!(account.outcome.is_ok(), case_is_released(case), "as a release goes");
        account
    };
    let mut case = Case::genuine();
    case.result.attributes.add(AttributeName::Surname, "Alm");
    case.result.attributes.set(AttributeName::DisplayName, vec!["Anna".to_owned(), "Alm".to_owned()]);
    case.result.attributes.add(AttributeName::Street, "Storgatan 1");
    let account = told(&mut case);
    let fate = |account: &super::account::Account, name| {
        account.told.iter().find(|(told, _)| *told == name).map(|(_, fate)| *fate)
    };
    assert_eq!(fate(&account, AttributeName::Mail), Some(Fate::Leaves));
    assert_eq!(fate(&account, AttributeName::Surname), Some(Fate::NotWanted));
    assert_eq!(fate(&account, AttributeName::DisplayName), Some(Fate::Several));
    assert_eq!(fate(&account, AttributeName::Street), Some(Fate::NotKept));
    assert_eq!(account.level, Some(Assurance::new(UNCERTIFIED3)));
    let mut case = Case::genuine();
    case.result.attributes.set(AttributeName::OrgAffiliation, vec!["aa01@5560160680".to_owned()]);
    let account = told(&mut case);
    assert_eq!(fate(&account, AttributeName::OrgAffiliation), Some(Fate::Outside));
    assert_eq!(fate(&account, AttributeName::Mail), Some(Fate::LoginFailed));
}

fn case_is_released(case: &Case) -> bool {
    let same = Case {
        result: case.result.clone(),
        request: case.request.clone(),
        provider: case.provider.clone(),
        relying_party: case.relying_party.clone(),
        narrowing: Narrowing::default(),
        connections: case.connections.clone(),
    };
    same.run().is_ok()
}
