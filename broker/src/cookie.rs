//! The login cookie: one small one per login, so that tabs do not disturb each other (design decision 6).
//!
//! Name: prefix and the login's selector, which is no secret and stands in page addresses. Value: 160 random bits that bind every record
//! of the login to this browser (and name the records of its pages); the minute it was set in, so that the oldest can go; and a tag of who asked,
//! so that a login that is over, however long, still has its way back to the service. The tag opens nothing.
//!
//! `SameSite=None`: a provider's answer is a cross-site POST, to which a browser attaches no Lax cookie.

use std::{
    collections::HashMap,
    sync::{Arc, Weak},
};

use arc_swap::ArcSwapOption;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use broker_core::{
    identifier::RelyingPartyId,
    moment::{Moment, Timestamp},
};
use broker_store::record::Handle;
use certs::mac::MacKey;
use http::{HeaderMap, HeaderValue, header};
use metadata::Registry;

/// Logins that one browser may have open.
const MOST: usize = 20;

/// How many of the oldest one answer expires. Somebody who can plant cookies with our names would otherwise make the answer's head as large as a request's
/// may be, and proxies give up at a few kilobytes: what is left goes with the next logins.
const MOST_EXPIRED: usize = 20;

/// How long a browser keeps the cookie, in seconds: far longer than any login, for the way back from a page that was left open over lunch. What it
/// binds ends in the store long before.
pub(crate) const KEPT_SECONDS: u64 = 12 * 3600;

/// Length of a selector: 48 random bits.
pub(crate) const SELECTOR: usize = 8;

/// A login's cookie.
#[derive(Clone)]
pub(crate) struct LoginCookie {
    selector: String,
    secret: Handle,
    origin: String,
}

impl LoginCookie {
    /// A new one, for a login whose relying party has the tag `origin` ([`origin_tag`]).
    pub(crate) fn new(moment: Moment<'_>, origin: String) -> Self {
        Self { selector: URL_SAFE_NO_PAD.encode(moment.random::<6>()), secret: Handle::new(moment), origin }
    }

    /// The one that a request carries for a login.
    pub(crate) fn of(headers: &HeaderMap, selector: &str, https: bool) -> Option<Self> {
        is_selector(selector).then_some(())?;
        let name = format!("{}{selector}", prefix(https));
        let (_, value) = pairs(headers).find(|(candidate, _)| *candidate == name)?;
        let mut parts = value.splitn(3, '.');
        let (secret, _, origin) = (parts.next()?, parts.next()?, parts.next().unwrap_or_default());
        Some(Self {
            selector: selector.to_owned(),
            secret: Handle::parse(secret)?,
            origin: origin.to_owned(),
        })
    }

    /// Whether a request carries the cookie of any login: what lacks one cannot end a login.
    pub(crate) fn any(headers: &HeaderMap, https: bool) -> bool {
        let prefix = prefix(https);
        pairs(headers).any(|(name, _)| name.strip_prefix(prefix).is_some_and(is_selector))
    }

    /// How many logins the browser began in this minute and the one before, by the cookies that it still has: at most [`MOST`]. A browser that
    /// throws its cookies away is not counted; this ends loops between a service and us, in which nothing is thrown away.
    pub(crate) fn begun_lately(headers: &HeaderMap, https: bool, now: Timestamp) -> usize {
        let (prefix, this_minute) = (prefix(https), now.0 / 60);
        pairs(headers)
            .filter(|(name, _)| name.strip_prefix(prefix).is_some_and(is_selector))
            .filter_map(|(_, value)| value.split('.').nth(1)?.parse::<i64>().ok())
            .filter(|minute| (this_minute - 1..=this_minute).contains(minute))
            .count()
    }

    /// Names the login; no secret.
    pub(crate) fn selector(&self) -> &str {
        &self.selector
    }

    /// Binds the login's records to the browser, and names those of its pages.
    pub(crate) fn secret(&self) -> &Handle {
        &self.secret
    }

    /// The tag of the relying party that asked; whatever the browser says.
    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }

    /// A provider trip of this login: a fresh handle, and what travels, in which the selector stands before the handle so that an
    /// answer finds its cookie.
    pub(crate) fn trip(&self, moment: Moment<'_>) -> (Handle, String) {
        let handle = Handle::new(moment);
        let travels = format!("{}{}", self.selector, handle.as_str());
        (handle, travels)
    }

    /// The headers that set it, and expire the oldest beyond the most that a browser may have, [`MOST_EXPIRED`] at a time.
    pub(crate) fn set(&self, request: &HeaderMap, https: bool, now: Timestamp) -> Vec<HeaderValue> {
        let prefix = prefix(https);
        let mut open: Vec<(&str, i64)> = pairs(request)
            .filter(|(name, _)| name.strip_prefix(prefix).is_some_and(is_selector))
            .map(|(name, value)| {
                (name, value.split('.').nth(1).and_then(|at| at.parse().ok()).unwrap_or_default())
            })
            .collect();
        open.sort_by_key(|(_, minute)| *minute);
        let surplus = (open.len() + 1).saturating_sub(MOST).min(MOST_EXPIRED);
        let mut headers: Vec<String> = open
            .iter()
            .take(surplus)
            .map(|(name, _)| format!("{name}=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=None"))
            .collect();
        headers.push(format!(
            "{prefix}{}={}.{}.{}; Path=/; Max-Age={KEPT_SECONDS}; Secure; HttpOnly; SameSite=None",
            self.selector,
            self.secret.as_str(),
            now.0 / 60,
            self.origin
        ));
        headers.iter().filter_map(|text| HeaderValue::from_str(text).ok()).collect()
    }
}

impl std::fmt::Debug for LoginCookie {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LoginCookie").field("selector", &self.selector).finish_non_exhaustive()
    }
}

/// The tag of a relying party in cookies: 64 bits of a keyed function of its name, so that a cookie says to nobody else where somebody has been.
fn origin_tag(key: &MacKey, relying_party: &RelyingPartyId) -> String {
    let [a, b, c, d, e, f, g, h, ..] = key.mac(relying_party.as_str().as_bytes());
    URL_SAFE_NO_PAD.encode([a, b, c, d, e, f, g, h])
}

/// Who asked, by the tags in cookies. The tags of a registry's relying parties are computed once for the snapshot: a cookie may be anybody's
/// invention, and to be asked for costs no more than to look it up.
pub(crate) struct Origins {
    key: MacKey,
    known: ArcSwapOption<Known>,
}

/// The tags of one snapshot, which is not kept alive for it.
struct Known {
    of: Weak<Registry>,
    tags: HashMap<String, RelyingPartyId>,
}

impl Origins {
    /// With the key of the tags.
    pub(crate) fn new(key: MacKey) -> Self {
        Self { key, known: ArcSwapOption::empty() }
    }

    /// The tag of a relying party.
    pub(crate) fn tag(&self, relying_party: &RelyingPartyId) -> String {
        origin_tag(&self.key, relying_party)
    }

    /// The registered relying party whose tag a cookie carries.
    pub(crate) fn asked(&self, registry: &Arc<Registry>, cookie: &LoginCookie) -> Option<RelyingPartyId> {
        let known = self.known.load_full().filter(|known| known.of.as_ptr() == Arc::as_ptr(registry));
        let known = known.unwrap_or_else(|| {
            let clients = registry.oidc_clients().map(|client| &client.client_id);
            let tags = clients.map(|client| (self.tag(client), client.clone())).collect();
            let known = Arc::new(Known { of: Arc::downgrade(registry), tags });
            self.known.store(Some(known.clone()));
            known
        });
        known.tags.get(cookie.origin()).cloned()
    }
}

/// Takes apart what travelled: the login's selector and the trip's handle.
pub(crate) fn trip_of(travelled: &str) -> Option<(&str, Handle)> {
    let (selector, handle) = travelled.split_at_checked(SELECTOR)?;
    is_selector(selector).then_some(())?;
    Some((selector, Handle::parse(handle)?))
}

fn is_selector(text: &str) -> bool {
    text.len() == SELECTOR && text.bytes().all(is_base64url)
}

fn is_base64url(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'
}

/// Browsers take a `__Host-` name over https alone; a loopback issuer on plain http does without.
fn prefix(https: bool) -> &'static str {
    if https { "__Host-login-" } else { "login-" }
}

fn pairs(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    headers
        .get_all(header::COOKIE)
        .iter()
        // Pair by pair: another application's cookie on the same domain may hold octets that are not ASCII, and hides none of ours.
        .flat_map(|value| value.as_bytes().split(|octet| *octet == b';'))
        .filter_map(|pair| std::str::from_utf8(pair).ok()?.trim().split_once('='))
}

#[cfg(test)]
mod tests {
    use std::{
        collections::{BTreeMap, BTreeSet},
        sync::Arc,
    };

    use broker_core::{
        assurance::AssuranceProfile,
        identifier::RelyingPartyId,
        moment::Timestamp,
        organisation::{LocalText, Organisation, OrganisationNumber, SupportContact},
        policy::{Protocol, RelyingPartyPolicy},
    };
    use certs::SignatureAlgorithm;
    use http::{HeaderMap, HeaderValue, header};
    use metadata::{ClientAuthentication, OidcClient, Registry, SecretHash};

    use super::{LoginCookie, Origins, origin_tag, trip_of};
    use crate::moment::moment;

    fn tag() -> String {
        let key = certs::mac::Secret::from_octets([1; 32]).mac_key("login cookie");
        origin_tag(&key, &broker_core::identifier::RelyingPartyId::from("journal"))
    }

    fn sent(cookies: &[String]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, HeaderValue::from_str(&cookies.join("; ")).expect("a header"));
        headers
    }

    #[test]
    fn a_cookie_is_small_and_comes_back() {
        let cookie = LoginCookie::new(moment(), tag());
        let set = cookie.set(&HeaderMap::new(), true, Timestamp(1_700_000_000));
        let text = set[0].to_str().expect("text");
        let pair = text.split(';').next().expect("a pair").to_owned();
        assert!(pair.len() <= 80, "{pair}");
        assert!(text.contains("; Secure; HttpOnly; SameSite=None") && text.starts_with("__Host-"));
        let back = LoginCookie::of(&sent(&[pair]), cookie.selector(), true).expect("found");
        assert_eq!(back.secret().as_str(), cookie.secret().as_str());
        assert_eq!(back.origin(), tag());
    }

    #[test]
    fn another_applications_octets_hide_no_cookie_of_ours() {
        let cookie = LoginCookie::new(moment(), tag());
        let set = cookie.set(&HeaderMap::new(), true, Timestamp(0));
        let pair = set[0].to_str().expect("text").split(';').next().expect("a pair").to_owned();
        let mut headers = HeaderMap::new();
        let sent = [b"city=Malm\xf6; ".as_slice(), pair.as_bytes(), b"; name=\xc3\x85sa"].concat();
        headers.insert(header::COOKIE, HeaderValue::from_bytes(&sent).expect("a header"));
        assert!(LoginCookie::of(&headers, cookie.selector(), true).is_some());
        headers.insert(header::COOKIE, HeaderValue::from_bytes(b"city=Malm\xf6").expect("a header"));
        assert!(LoginCookie::of(&headers, cookie.selector(), true).is_none());
    }

    #[test]
    fn another_logins_cookie_is_not_taken() {
        let (own, other) = (LoginCookie::new(moment(), tag()), LoginCookie::new(moment(), tag()));
        let set = other.set(&HeaderMap::new(), true, Timestamp(0));
        let pair = set[0].to_str().expect("text").split(';').next().expect("a pair").to_owned();
        assert!(LoginCookie::of(&sent(&[pair]), own.selector(), true).is_none());
    }

    #[test]
    fn the_oldest_beyond_twenty_expires() {
        let cookies: Vec<String> =
            (0..20).map(|n| format!("__Host-login-AAAAAA{n:02}={}.{}", "x".repeat(22), 100 - n)).collect();
        let set = LoginCookie::new(moment(), tag()).set(&sent(&cookies), true, Timestamp(600_000));
        assert_eq!(set.len(), 2);
        assert!(set[0].to_str().expect("text").starts_with("__Host-login-AAAAAA19=; Path=/; Max-Age=0"));
    }

    #[test]
    fn however_many_were_planted_the_answer_stays_small() {
        let cookies: Vec<String> =
            (0..900).map(|n| format!("__Host-login-AAAAA{n:03}={}.{n}", "x".repeat(22))).collect();
        let set = LoginCookie::new(moment(), tag()).set(&sent(&cookies), true, Timestamp(600_000));
        assert_eq!(set.len(), 21);
        assert!(set[20].to_str().expect("text").contains("Max-Age=43200"), "the new one is always set");
    }

    #[test]
    fn what_was_begun_lately_is_counted_by_the_minute() {
        let at =
            |minute: i64, number: u8| format!("__Host-login-AAAAAA{number:02}={}.{minute}.", "x".repeat(22));
        let headers = sent(&[at(100, 1), at(99, 2), at(98, 3), at(101, 4), "__Host-login-AAAAAAAA=x".into()]);
        assert_eq!(LoginCookie::begun_lately(&headers, true, Timestamp(6_030)), 2);
        assert_eq!(LoginCookie::begun_lately(&headers, false, Timestamp(6_030)), 0);
        assert!(LoginCookie::any(&headers, true) && !LoginCookie::any(&headers, false));
        assert!(!LoginCookie::any(&sent(&["__Host-login-short=x".into(), "session=y".into()]), true));
    }

    #[test]
    fn a_handle_names_its_login() {
        let cookie = LoginCookie::new(moment(), tag());
        let (handle, travels) = cookie.trip(moment());
        assert_eq!(trip_of(&travels), Some((cookie.selector(), handle)));
        assert_eq!(trip_of("short"), None);
        assert_eq!(trip_of(&"å".repeat(20)), None);
    }

    fn registry(clients: &[&str]) -> Arc<Registry> {
        let organisation = Arc::new(Organisation {
            number: OrganisationNumber::parse("2021006883").expect("a number"),
            name: LocalText(BTreeMap::new()),
            domains: BTreeSet::new(),
            scopes: BTreeSet::new(),
            hsa_prefixes: BTreeSet::new(),
            ceiling: Vec::new(),
            entitled: BTreeSet::new(),
            may_assert: BTreeSet::new(),
            support: SupportContact::default(),
            aliases: BTreeSet::new(),
            logo: None,
            relying_parties: None,
        });
        let key = certs::mac::Secret::from_octets([1; 32]).mac_key("client secret");
        let client = |id: &&str| {
            let policy = RelyingPartyPolicy {
                id: RelyingPartyId::from(*id),
                protocol: Protocol::Oidc,
                organisation: organisation.clone(),
                display_name: LocalText::default(),
                entitled: BTreeSet::new(),
                sector: String::new(),
                providers: None,
                start_url: None,
                privacy_url: None,
                assurance_profile: AssuranceProfile::Plain,
                fail_on_missing_attribute: false,
            };
            Arc::new(OidcClient {
                policy: Arc::new(policy),
                client_id: RelyingPartyId::from(*id),
                redirect_uris: Vec::new(),
                authentication: ClientAuthentication::ClientSecretPost(SecretHash::of(&key, id, "secret")),
                id_token_algorithm: SignatureAlgorithm::EcdsaSha256,
                userinfo_algorithm: None,
                scopes: BTreeSet::new(),
                accepts_token_endpoint_audience: false,
                pkce_required: true,
                default_max_age: None,
                default_acr_values: Vec::new(),
                purpose: LocalText::default(),
                contacts: Vec::new(),
            })
        };
        Arc::new(Registry::from_peers([organisation.clone()], [], clients.iter().map(client)))
    }

    #[test]
    fn who_asked_is_found_in_the_snapshot_of_the_moment() {
        let origins = Origins::new(certs::mac::Secret::from_octets([1; 32]).mac_key("login cookie"));
        let (one, two) = (registry(&["journal", "care"]), registry(&["care"]));
        let journal = RelyingPartyId::from("journal");
        let cookie = LoginCookie::new(moment(), origins.tag(&journal));
        for _ in 0..2 {
            assert_eq!(origins.asked(&one, &cookie), Some(journal.clone()));
            assert_eq!(origins.asked(&two, &cookie), None, "it left the registry");
        }
        assert_eq!(origins.asked(&one, &LoginCookie::new(moment(), String::new())), None);
    }

    #[test]
    fn to_ask_again_computes_nothing() {
        let origins = Origins::new(certs::mac::Secret::from_octets([1; 32]).mac_key("login cookie"));
        let registry = registry(&["journal"]);
        let known = || origins.known.load_full().map(|known| Arc::as_ptr(&known));
        assert_eq!(known(), None);
        let invented = LoginCookie::new(moment(), "AAAAAAAAAAA".to_owned());
        assert_eq!(origins.asked(&registry, &invented), None);
        let first = known();
        assert_eq!(origins.asked(&registry, &invented), None);
        assert!(first.is_some() && known() == first);
    }
}
