//! What a value must look like before anybody asks whose it is. A value of another form says nothing, and is never repaired.
//!
//! Neighbours: `crate::authority` says whose a well-formed value is; `crate::release` asks both.

/// The two kinds of number that the Swedish state gives people (Sweden Connect attributes 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NumberKind {
    /// Personnummer.
    Personal,
    /// Samordningsnummer: 60 is added to the day of birth.
    Coordination,
}

/// Which kind of number a text is: twelve digits, a day that there is, and a correct check digit over the last ten. `None`: neither.
///
/// A samordningsnummer of somebody whose birthday is unknown (day 60, month 00) is neither: Sweden Connect knows days 61 to 91.
#[must_use]
pub fn kind_of_number(text: &str) -> Option<NumberKind> {
    let digits: [u8; 12] = text.as_bytes().try_into().ok()?;
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let digits = digits.map(|digit| u32::from(digit - b'0'));
    let number = |from: usize, to: usize| digits[from..to].iter().fold(0, |sum, digit| sum * 10 + digit);
    let (year, month, written) = (number(0, 4), number(4, 6), number(6, 8));
    let (kind, day) = match written {
        61..=91 => (NumberKind::Coordination, written - 60),
        _ => (NumberKind::Personal, written),
    };
    let sum: u32 = digits[2..]
        .iter()
        .enumerate()
        .map(|(at, digit)| {
            let value = digit * if at % 2 == 0 { 2 } else { 1 };
            value / 10 + value % 10
        })
        .sum();
    let is_day = (1..=days_in(year, month)).contains(&day);
    // Nobody who has a number was born before 1800.
    (year >= 1800 && is_day && sum.is_multiple_of(10)).then_some(kind)
}

fn days_in(year: u32, month: u32) -> u32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        1..=12 => 31,
        _ => 0,
    }
}

/// How many octets come before what an HSA-id names: `SE`, ten digits and the hyphen.
pub const HSA_OWNER: usize = 13;
/// The longest HSA-id, in octets.
pub const HSA_LONGEST: usize = 31;

/// `SE`, ten digits, a hyphen, and at least one letter or digit; at most 31 octets; either case (Inera HSA-id).
#[must_use]
pub fn is_hsa_id(text: &str) -> bool {
    text.len() > HSA_OWNER && is_hsa_beginning(text)
}

/// The beginning of an HSA-id, at least through its hyphen: anything shorter would cover those of others.
#[must_use]
pub fn is_hsa_beginning(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() <= HSA_LONGEST
        && bytes.get(..2).is_some_and(|country| country.eq_ignore_ascii_case(b"SE"))
        && bytes.get(2..12).is_some_and(|digits| digits.iter().all(u8::is_ascii_digit))
        && bytes.get(12) == Some(&b'-')
        && bytes.iter().skip(HSA_OWNER).all(u8::is_ascii_alphanumeric)
}

/// A scoped value: what stands before and after the last `@` (Sweden Connect attributes 3.1). `None` where there is no such thing, or
/// where a reader could see another `@`, or another end, than we do.
#[must_use]
pub fn scoped(value: &str) -> Option<(&str, &str)> {
    if value.chars().any(is_unseen) || hides_an_at(value) {
        return None;
    }
    let (local, scope) = value.rsplit_once('@')?;
    (!local.is_empty() && !local.starts_with('@') && !scope.is_empty()).then_some((local, scope))
}

/// A mail address of the plain kind, as local part and domain: a dot-atom (RFC 5321 section 4.1.2), letters beyond ASCII allowed (RFC 6531),
/// one `@`. Quoted local parts, comments, and the `%` and `!` of old routes are refused: each has been read as another address somewhere.
#[must_use]
pub fn mail_address(value: &str) -> Option<(&str, &str)> {
    let (local, domain) = scoped(value)?;
    let is_atom = |atom: &str| {
        !atom.is_empty()
            && atom.chars().all(|letter| letter.is_alphanumeric() || "#$&'*+-/=?^_`{|}~".contains(letter))
    };
    let plain = value.len() <= 254 && local.len() <= 64 && local.split('.').all(is_atom);
    plain.then_some((local, domain))
}

/// White space, controls, and what is there without being seen.
fn is_unseen(letter: char) -> bool {
    letter.is_whitespace()
        || letter.is_control()
        || matches!(letter, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// An `@` that becomes one only after decoding or normalising: percent-encoded, full-width, small.
fn hides_an_at(value: &str) -> bool {
    value.contains("%40") || value.contains(['\u{ff20}', '\u{fe6b}'])
}

#[cfg(test)]
mod tests {
    use super::{NumberKind, is_hsa_beginning, is_hsa_id, kind_of_number, mail_address, scoped};

    #[test]
    fn a_number_has_twelve_digits_a_day_and_a_check_digit() {
        assert_eq!(kind_of_number("191212121212"), Some(NumberKind::Personal));
        assert_eq!(kind_of_number("197010631237"), Some(NumberKind::Coordination));
        assert_eq!(kind_of_number("197010911233"), Some(NumberKind::Coordination));
        for neither in [
            "",
            "191212121213",
            "1212121212",
            "19121212-1212",
            "191213121211",
            "190002301236",
            "197010601230",
            "197010921230",
            "1912121212127",
            "１９１２１２",
            "19121212121 ",
        ] {
            assert_eq!(kind_of_number(neither), None, "{neither}");
        }
    }

    #[test]
    fn february_has_29_days_in_a_leap_year_alone() {
        let with_check_digit = |front: &str| {
            (0..10).map(|digit| format!("{front}{digit}")).find(|number| kind_of_number(number).is_some())
        };
        assert!(with_check_digit("20000229123").is_some());
        assert_eq!(with_check_digit("19000229123"), None);
        assert_eq!(with_check_digit("20010229123"), None);
        assert!(with_check_digit("20010228123").is_some());
        assert_eq!(with_check_digit("20010089123"), None, "there is no month 00");
    }

    #[test]
    fn an_hsa_id_is_se_ten_digits_a_hyphen_and_more() {
        for good in ["SE2321000016-A", "se2321000016-ab12", "SE2321000016-123456789012345678"] {
            assert!(is_hsa_id(good), "{good}");
        }
        for bad in [
            "SE2321000016-",
            "SE2321000016",
            "SE232100001-A1",
            "SE2321000016-A-B",
            "SE2321000016-Å1",
            "SE2321000016-A1 ",
            "SE2321000016-A@B",
            "NO2321000016-A1",
            "SE2321000016-1234567890123456789",
            "\u{17f}E2321000016-A1",
        ] {
            assert!(!is_hsa_id(bad), "{bad}");
        }
        assert!(is_hsa_beginning("SE2321000016-") && !is_hsa_beginning("SE2321000016"));
    }

    #[test]
    fn a_scoped_value_is_split_at_its_last_at() {
        assert_eq!(scoped("a@b"), Some(("a", "b")));
        assert_eq!(scoped("a@b@c"), Some(("a@b", "c")));
        for bad in
            ["", "a", "@b", "a@", "@@b", "a b@c", "a@b\0", "a@b\n", "a%40b@c", "a\u{ff20}b@c", "a\u{200b}@b"]
        {
            assert_eq!(scoped(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_mail_address_is_of_the_plain_kind() {
        for good in ["anna@granvik.se", "anna.alm+x@granvik.se", "åsa@granvik.se"] {
            assert!(mail_address(good).is_some(), "{good}");
        }
        for bad in [
            "\"anna@granvik.se\"@evil.se",
            "anna@granvik.se@evil.se",
            "anna..alm@granvik.se",
            ".anna@granvik.se",
            "anna%evil.se@granvik.se",
            "evil.se!anna@granvik.se",
            "anna(granvik)@granvik.se",
            "<anna@granvik.se>",
            "Anna <anna@granvik.se>",
            "anna",
        ] {
            assert_eq!(mail_address(bad), None, "{bad}");
        }
    }
}
