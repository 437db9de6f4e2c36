//! The choice of organisation: a search that works without JavaScript, and links, since Chromium would hold a form's redirects against
//! `form-action`.

use broker_core::{identifier::Language, organisation::Logo};
use minijinja::{Error, Value, context};

use super::{Field, Html, MessageView, Pages, clean, content_policy::ContentPolicy, fields, web_address};

/// The most rows on one page; it keeps a page under 30 KB. Who is not among them is found by searching.
pub(crate) const CHOICE_LIMIT: usize = 50;

/// One organisation to choose.
#[derive(Debug, Clone)]
pub(crate) struct ChoiceRow {
    /// What it is called in the person's language.
    pub(crate) name: String,
    /// What else may tell it apart, such as the provider's own name.
    pub(crate) other_names: Vec<String>,
    /// The link that chooses it.
    pub(crate) href: String,
    /// Its logo, if it has one.
    pub(crate) logo: Option<Logo>,
}

/// What the page says.
#[derive(Debug, Clone)]
pub(crate) struct ChoiceView<'a> {
    /// The service's name.
    pub(crate) relying_party: &'a str,
    /// What the service has to say.
    pub(crate) message: Option<MessageView<'a>>,
    /// The rows to show, best first, at most [`CHOICE_LIMIT`] of which are drawn.
    pub(crate) organisations: &'a [ChoiceRow],
    /// What was searched for, as typed.
    pub(crate) query: &'a str,
    /// How many were found in all.
    pub(crate) total: usize,
    /// Where the search form goes (GET, field `q`).
    pub(crate) search_action: &'a str,
    /// What the search form carries along.
    pub(crate) hidden: &'a [Field],
    /// The same page without a search.
    pub(crate) all_href: &'a str,
    /// The link that answers the relying party with a refusal.
    pub(crate) cancel_href: &'a str,
}

impl Pages {
    /// The choice of organisation.
    pub(crate) fn choice(&self, language: &Language, view: &ChoiceView<'_>) -> Html {
        self.render("choice.html", language, ContentPolicy::Search, content(language, view))
    }

    pub(super) fn try_choice(&self, language: &Language, view: &ChoiceView<'_>) -> Result<Html, Error> {
        self.try_render("choice.html", language, ContentPolicy::Search, content(language, view))
    }
}

fn content(language: &Language, view: &ChoiceView<'_>) -> Value {
    let rows: Vec<Value> = view
        .organisations
        .iter()
        .take(CHOICE_LIMIT)
        .filter_map(|row| {
            let others: Vec<String> = row.other_names.iter().map(|name| clean(name)).collect();
            Some(context! {
                name => clean(&row.name),
                other_names => others.join(", "),
                initials => initials(&row.name),
                href => web_address(&row.href)?,
                logo => row.logo.as_ref().map(shown),
            })
        })
        .collect();
    let shown = rows.len();
    let logos = view.organisations.iter().take(CHOICE_LIMIT).any(|row| row.logo.is_some());
    context! {
        logos,
        service => clean(view.relying_party),
        message => view.message.and_then(|message| message.content(language)),
        query => view.query,
        shown => shown,
        total => view.total,
        more => view.total > shown,
        rows,
        search_action => view.search_action,
        hidden => fields(view.hidden),
        all_href => web_address(view.all_href).unwrap_or("/"),
        cancel_href => web_address(view.cancel_href).unwrap_or("/"),
    }
}

/// A logo as it is shown: 40 pixels high, or as high as its width lets it be.
fn shown(logo: &Logo) -> Value {
    const BOX: (u64, u64) = (72, 40);
    let (width, height) = (u64::from(logo.width.max(1)), u64::from(logo.height.max(1)));
    let (width, height) = if width * BOX.1 > height * BOX.0 {
        (BOX.0, height * BOX.0 / width)
    } else {
        (width * BOX.1 / height, BOX.1)
    };
    context! { href => logo_address(logo), width => width.max(1), height => height.max(1) }
}

/// Where a logo stands on this host: named by its content.
pub(crate) fn logo_address(logo: &Logo) -> String {
    format!("/logo/{}.png", logo.document)
}

/// Up to two letters in place of a logo: of the first two words that are names (`Region Norrån` is `RN`, `Myndigheten för post` is `MP`).
fn initials(name: &str) -> String {
    let mut letters = name
        .split(|character: char| !character.is_alphanumeric())
        .filter(|word| !matches!(*word, "" | "i" | "för" | "och" | "av" | "of" | "the" | "for" | "and"))
        .filter_map(|word| word.chars().next());
    [letters.next(), letters.next()].into_iter().flatten().flat_map(char::to_uppercase).collect()
}

#[cfg(test)]
mod tests {
    use broker_core::organisation::Logo;

    use super::{initials, shown};

    #[test]
    fn a_logo_keeps_its_shape_in_its_box() {
        for ((width, height), drawn) in [
            ((160, 160), (40, 40)),
            ((320, 160), (72, 36)),
            ((480, 24), (72, 3)),
            ((40, 160), (10, 40)),
            ((0, 0), (40, 40)),
        ] {
            let value = shown(&Logo { document: "a".into(), width, height });
            let side = |name| u64::try_from(value.get_attr(name).expect("a side")).expect("a number");
            assert_eq!((side("width"), side("height")), drawn, "{width} × {height}");
        }
    }

    #[test]
    fn initials_skip_small_words() {
        assert_eq!(initials("Granviks kommun"), "GK");
        assert_eq!(initials("Myndigheten för tillsyn"), "MT");
        assert_eq!(initials("Östersjö"), "Ö");
        assert_eq!(initials(""), "");
    }
}
