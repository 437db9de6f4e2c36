//! The login cookie: one small one per login, so that tabs do not disturb each other (design decision 6).
//!
//! Name: prefix and the login's selector, which is no secret and stands in page addresses. Value: 160 random bits that bind every record
//! of the login to this browser (and name the records of its pages), and the minute it was set in, so that the oldest can go.
//!
//! `SameSite=None`: a provider's answer is a cross-site POST, to which a browser attaches no Lax cookie.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use broker_core::moment::{Moment, Timestamp};
use broker_store::record::Handle;
use http::{HeaderMap, HeaderValue, header};

/// Logins that one browser may have open.
const MOST: usize = 20;

/// Length of a selector: 48 random bits.
pub(crate) const SELECTOR: usize = 8;

/// A login's cookie.
#[derive(Clone)]
pub(crate) struct LoginCookie {
    selector: String,
    secret: Handle,
}

impl LoginCookie {
    /// A new one.
    pub(crate) fn new(moment: Moment<'_>) -> Self {
        Self { selector: URL_SAFE_NO_PAD.encode(moment.random::<6>()), secret: Handle::new(moment) }
    }

    /// The one that a request carries for a login.
    pub(crate) fn of(headers: &HeaderMap, selector: &str, https: bool) -> Option<Self> {
        is_selector(selector).then_some(())?;
        let name = format!("{}{selector}", prefix(https));
        let (_, value) = pairs(headers).find(|(candidate, _)| *candidate == name)?;
        let (secret, _) = value.split_once('.')?;
        Some(Self { selector: selector.to_owned(), secret: Handle::parse(secret)? })
    }

    /// Names the login; no secret.
    pub(crate) fn selector(&self) -> &str {
        &self.selector
    }

    /// Binds the login's records to the browser, and names those of its pages.
    pub(crate) fn secret(&self) -> &Handle {
        &self.secret
    }

    /// A provider trip of this login: a fresh handle, and what travels, in which the selector stands before the handle so that an
    /// answer finds its cookie.
    pub(crate) fn trip(&self, moment: Moment<'_>) -> (Handle, String) {
        let handle = Handle::new(moment);
        let travels = format!("{}{}", self.selector, handle.as_str());
        (handle, travels)
    }

    /// The headers that set it, and expire the oldest beyond the most that a browser may have.
    pub(crate) fn set(
        &self,
        request: &HeaderMap,
        https: bool,
        now: Timestamp,
        lifetime: u64,
    ) -> Vec<HeaderValue> {
        let prefix = prefix(https);
        let mut open: Vec<(&str, i64)> = pairs(request)
            .filter(|(name, _)| name.strip_prefix(prefix).is_some_and(is_selector))
            .map(|(name, value)| {
                (name, value.split_once('.').and_then(|(_, at)| at.parse().ok()).unwrap_or_default())
            })
            .collect();
        open.sort_by_key(|(_, minute)| *minute);
        let surplus = (open.len() + 1).saturating_sub(MOST);
        let mut headers: Vec<String> = open
            .iter()
            .take(surplus)
            .map(|(name, _)| format!("{name}=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=None"))
            .collect();
        headers.push(format!(
            "{prefix}{}={}.{}; Path=/; Max-Age={lifetime}; Secure; HttpOnly; SameSite=None",
            self.selector,
            self.secret.as_str(),
            now.0 / 60
        ));
        headers.iter().filter_map(|text| HeaderValue::from_str(text).ok()).collect()
    }
}

impl std::fmt::Debug for LoginCookie {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LoginCookie").field("selector", &self.selector).finish_non_exhaustive()
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
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
}

#[cfg(test)]
mod tests {
    use broker_core::moment::Timestamp;
    use http::{HeaderMap, HeaderValue, header};

    use super::{LoginCookie, trip_of};
    use crate::moment::moment;

    fn sent(cookies: &[String]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, HeaderValue::from_str(&cookies.join("; ")).expect("a header"));
        headers
    }

    #[test]
    fn a_cookie_is_small_and_comes_back() {
        let cookie = LoginCookie::new(moment());
        let set = cookie.set(&HeaderMap::new(), true, Timestamp(1_700_000_000), 900);
        let text = set[0].to_str().expect("text");
        let pair = text.split(';').next().expect("a pair").to_owned();
        assert!(pair.len() <= 80, "{pair}");
        assert!(text.contains("; Secure; HttpOnly; SameSite=None") && text.starts_with("__Host-"));
        let back = LoginCookie::of(&sent(&[pair]), cookie.selector(), true).expect("found");
        assert_eq!(back.secret().as_str(), cookie.secret().as_str());
    }

    #[test]
    fn another_logins_cookie_is_not_taken() {
        let (own, other) = (LoginCookie::new(moment()), LoginCookie::new(moment()));
        let set = other.set(&HeaderMap::new(), true, Timestamp(0), 900);
        let pair = set[0].to_str().expect("text").split(';').next().expect("a pair").to_owned();
        assert!(LoginCookie::of(&sent(&[pair]), own.selector(), true).is_none());
    }

    #[test]
    fn the_oldest_beyond_twenty_expires() {
        let cookies: Vec<String> =
            (0..20).map(|n| format!("__Host-login-AAAAAA{n:02}={}.{}", "x".repeat(22), 100 - n)).collect();
        let set = LoginCookie::new(moment()).set(&sent(&cookies), true, Timestamp(600_000), 900);
        assert_eq!(set.len(), 2);
        assert!(set[0].to_str().expect("text").starts_with("__Host-login-AAAAAA19=; Path=/; Max-Age=0"));
    }

    #[test]
    fn a_handle_names_its_login() {
        let cookie = LoginCookie::new(moment());
        let (handle, travels) = cookie.trip(moment());
        assert_eq!(trip_of(&travels), Some((cookie.selector(), handle)));
        assert_eq!(trip_of("short"), None);
        assert_eq!(trip_of(&"å".repeat(20)), None);
    }
}
