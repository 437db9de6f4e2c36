//! The notice before release: who asks, what is sent, why (Sweden Connect, Tekniska anslutningsregler 2.1.2). Both buttons post to us, and
//! we answer 200 with the page that continues (`onward.rs`).

use broker_core::{identifier::Language, release::notice::NoticeRow};
use minijinja::{Error, Value, context};

use super::{Field, Html, MessageView, Pages, clean, content_policy::ContentPolicy, fields, web_address};

/// One row that the person reads.
pub(crate) type ViewRow = NoticeRow;

/// What the page says. No Debug: it holds a person's attributes.
pub(crate) struct NoticeView<'a> {
    /// The service's name.
    pub(crate) relying_party: &'a str,
    /// Who answers for the service, where that says more than its name.
    pub(crate) relying_party_organisation: Option<&'a str>,
    /// What the service has to say.
    pub(crate) message: Option<MessageView<'a>>,
    /// The person's employer.
    pub(crate) organisation: &'a str,
    /// What leaves, in order.
    pub(crate) rows: &'a [ViewRow],
    /// Where the service says how it treats what it is given.
    pub(crate) privacy_url: Option<&'a str>,
    /// Where the form posts to, on this host; `decision` is `accept` or `decline`.
    pub(crate) action: &'a str,
    /// What the form carries along.
    pub(crate) hidden: &'a [Field],
}

impl Pages {
    /// The notice.
    pub(crate) fn notice(&self, language: &Language, view: &NoticeView<'_>) -> Html {
        self.render("notice.html", language, ContentPolicy::OwnForm, self.notice_content(language, view))
    }

    pub(super) fn try_notice(&self, language: &Language, view: &NoticeView<'_>) -> Result<Html, Error> {
        self.try_render("notice.html", language, ContentPolicy::OwnForm, self.notice_content(language, view))
    }

    fn notice_content(&self, language: &Language, view: &NoticeView<'_>) -> Value {
        // Marking what cannot be done without tells something only when the rest can.
        let mixed = view.rows.iter().any(|row| row.essential) && !view.rows.iter().all(|row| row.essential);
        let rows: Vec<Value> = view
            .rows
            .iter()
            .map(|row| {
                context! {
                    label => self.attribute_label(language, row.name),
                    values => row.values.iter().map(|value| clean(value)).collect::<Vec<_>>(),
                    mark => mixed && row.essential,
                }
            })
            .collect();
        context! {
            service => clean(view.relying_party),
            message => view.message.and_then(|message| message.content(language)),
            service_organisation => view
                .relying_party_organisation
                .filter(|owner| *owner != view.relying_party)
                .map(clean),
            organisation => clean(view.organisation),
            rows,
            privacy_url => view.privacy_url.and_then(web_address),
            action => view.action,
            hidden => fields(view.hidden),
        }
    }
}
