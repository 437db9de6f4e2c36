//! Domain names with letters beyond ASCII: one form to keep and compare, the ASCII one (RFC 5890 A-labels, by UTS 46 without transition).
//!
//! Records and documents are brought to it when they are read, so that `räksmörgås.se` and its `xn--` form are one name. Names that only
//! look alike have different ASCII forms and stay different.

use idna::{AsciiDenyList, domain_to_ascii_cow, domain_to_unicode};

/// The ASCII form of a name, lower case. `None`: no name has that form, or an `xn--` label in it is none.
pub(crate) fn ascii(name: &str) -> Option<String> {
    let form = domain_to_ascii_cow(name.as_bytes(), AsciiDenyList::STD3).ok()?;
    (!form.is_empty()).then(|| form.into_owned())
}

/// The form with its own letters of a name in ASCII form; `None` where that is the same.
pub(crate) fn unicode(ascii_form: &str) -> Option<String> {
    let (name, read) = domain_to_unicode(ascii_form);
    // Only a form that leads back: whatever else may be written is another name.
    let back = read.is_ok() && ascii(&name).as_deref() == Some(ascii_form);
    (back && name != ascii_form).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::{ascii, unicode};

    #[test]
    fn one_name_in_either_form() {
        for written in
            ["räksmörgås.se", "RÄKSMÖRGÅS.se", "ra\u{308}ksmo\u{308}rga\u{30a}s.se", "xn--rksmrgs-5wao1o.se"]
        {
            assert_eq!(ascii(written).as_deref(), Some("xn--rksmrgs-5wao1o.se"), "{written}");
        }
        assert_eq!(unicode("xn--rksmrgs-5wao1o.se").as_deref(), Some("räksmörgås.se"));
        assert_eq!(unicode("granvik.se"), None);
    }

    #[test]
    fn what_only_looks_alike_is_another_name() {
        assert_ne!(ascii("gr\u{430}nvik.se"), ascii("granvik.se"));
        assert_ne!(ascii("räksm\u{3bf}rgås.se"), ascii("räksmorgås.se"));
    }

    #[test]
    fn what_no_name_can_be_is_none() {
        for bad in ["", "a b.se", "a@b.se", "xn--a.se", "a%2e.se", "a_b.se", "*.se"] {
            assert_eq!(ascii(bad), None, "{bad}");
        }
    }
}
