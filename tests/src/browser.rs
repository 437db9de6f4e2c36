//! A person's browser, as much of one as a login needs. It follows nothing by itself: a test decides what happens next.
//!
//! Only the broker is reached over the network; addresses of providers and relying parties are read off and handed to them directly.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use http::{Request, header};
use http_body_util::Full;
use url::Url;

use crate::wire::{NoReply, Reply, Wire};

/// A browser with a cookie jar of its own.
#[derive(Debug)]
pub struct Browser {
    wire: Arc<Wire>,
    issuer: String,
    cookies: Mutex<BTreeMap<String, String>>,
    language: &'static str,
}

/// What the browser shows, or was told.
#[derive(Debug, Clone)]
pub struct Page {
    /// Where it came from.
    pub url: Url,
    /// What came.
    pub reply: Reply,
}

/// A form on a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    /// Where it goes.
    pub action: String,
    /// The hidden fields.
    pub fields: Vec<(String, String)>,
}

impl Form {
    /// With a button pressed.
    #[must_use]
    pub fn pressing(mut self, name: &str, value: &str) -> Self {
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The value of a field; empty when it is not there.
    #[must_use]
    pub fn field(&self, name: &str) -> &str {
        self.fields.iter().find(|(field, _)| field == name).map_or("", |(_, value)| value)
    }
}

/// Fields as a form's body.
#[must_use]
pub fn encoded<N: AsRef<str>, V: AsRef<str>>(fields: &[(N, V)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

impl Browser {
    /// A new one, with no cookies. Addresses of the broker begin with `issuer`.
    #[must_use]
    pub fn new(wire: Arc<Wire>, issuer: &str) -> Self {
        Self { wire, issuer: issuer.to_owned(), cookies: Mutex::default(), language: "sv" }
    }

    /// Follows an address of the broker, to the node on `port`. A path alone is enough.
    pub async fn open(&self, port: u16, address: &str) -> Page {
        self.try_open(port, address).await.unwrap_or_else(|error| panic!("{address}: {error}"))
    }

    /// The same, where the node may be gone.
    ///
    /// # Errors
    /// When it is.
    pub async fn try_open(&self, port: u16, address: &str) -> Result<Page, NoReply> {
        let url = self.broker_url(address);
        let request = self.request("GET", &url).body(Full::new(Bytes::new())).expect("a request");
        self.send(port, url, request).await
    }

    /// Sends a form to the broker, to the node on `port`.
    pub async fn submit(&self, port: u16, form: &Form) -> Page {
        self.post(port, &form.action, &encoded(&form.fields)).await
    }

    /// The same, where the node may hang up.
    ///
    /// # Errors
    /// When it does.
    pub async fn try_submit(&self, port: u16, form: &Form) -> Result<Page, NoReply> {
        let url = self.broker_url(&form.action);
        let request = self
            .request("POST", &url)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Full::new(Bytes::from(encoded(&form.fields))))
            .expect("a request");
        self.send(port, url, request).await
    }

    /// Sends a form with headers that a browser adds by itself, such as where the form came from.
    pub async fn submit_with(&self, port: u16, form: &Form, headers: &[(&str, &str)]) -> Page {
        self.post_with(port, &form.action, &encoded(&form.fields), headers).await
    }

    /// Posts a body that is encoded already.
    pub async fn post(&self, port: u16, address: &str, body: &str) -> Page {
        self.post_with(port, address, body, &[]).await
    }

    async fn post_with(&self, port: u16, address: &str, body: &str, headers: &[(&str, &str)]) -> Page {
        let url = self.broker_url(address);
        let mut builder =
            self.request("POST", &url).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        for (name, value) in headers {
            builder = builder.header(*name, *value);
        }
        let request = builder.body(Full::new(Bytes::from(body.to_owned()))).expect("a request");
        self.send(port, url, request).await.unwrap_or_else(|error| panic!("{address}: {error}"))
    }

    /// Sends a form of several parts (RFC 7578), with a file in the field `file` if there is one.
    pub async fn upload(
        &self,
        port: u16,
        address: &str,
        fields: &[(&str, &str)],
        file: Option<(&str, &[u8])>,
        headers: &[(&str, &str)],
    ) -> Page {
        const BOUNDARY: &str = "----a-boundary-that-is-in-no-file";
        let mut body = Vec::new();
        for (name, value) in fields {
            let part =
                format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
            body.extend_from_slice(part.as_bytes());
        }
        let (name, octets) = file.unwrap_or_default();
        let part = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
             Content-Type: application/octet-stream\r\n\r\n"
        );
        body.extend_from_slice(part.as_bytes());
        body.extend_from_slice(octets);
        body.extend_from_slice(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
        let url = self.broker_url(address);
        let typed = format!("multipart/form-data; boundary={BOUNDARY}");
        let mut builder = self.request("POST", &url).header(header::CONTENT_TYPE, typed);
        for (name, value) in headers {
            builder = builder.header(*name, *value);
        }
        let request = builder.body(Full::new(Bytes::from(body))).expect("a request");
        self.send(port, url, request).await.unwrap_or_else(|error| panic!("{address}: {error}"))
    }

    /// The cookies, by name.
    #[must_use]
    pub fn cookies(&self) -> BTreeMap<String, String> {
        self.cookies.lock().expect("no panic while holding it").clone()
    }

    /// Replaces all cookies.
    pub fn set_cookies(&self, cookies: BTreeMap<String, String>) {
        *self.cookies.lock().expect("no panic while holding it") = cookies;
    }

    fn broker_url(&self, address: &str) -> Url {
        let url = if address.starts_with('/') {
            Url::parse(&format!("{}{address}", self.issuer))
        } else {
            Url::parse(address)
        };
        let url = url.unwrap_or_else(|error| panic!("{address}: {error}"));
        assert!(url.as_str().starts_with(&self.issuer), "{url} is no address of the broker");
        url
    }

    fn request(&self, method: &str, url: &Url) -> http::request::Builder {
        let path = &url[url::Position::BeforePath..url::Position::AfterQuery];
        let host = &url[url::Position::BeforeHost..url::Position::AfterPort];
        let mut builder = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, host)
            .header(header::ACCEPT_LANGUAGE, self.language);
        let pairs: Vec<String> =
            self.cookies().iter().map(|(name, value)| format!("{name}={value}")).collect();
        if !pairs.is_empty() {
            builder = builder.header(header::COOKIE, pairs.join("; "));
        }
        builder
    }

    async fn send(&self, port: u16, url: Url, request: Request<Full<Bytes>>) -> Result<Page, NoReply> {
        let reply = self.wire.send(port, request).await?;
        let mut cookies = self.cookies.lock().expect("no panic while holding it");
        for line in reply.headers.get_all(header::SET_COOKIE) {
            let line = line.to_str().expect("a cookie is ASCII");
            let (name, value) =
                line.split(';').next().and_then(|pair| pair.split_once('=')).expect("NAME=VALUE");
            if line.contains("Max-Age=0") {
                cookies.remove(name);
            } else {
                cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        drop(cookies);
        Ok(Page { url, reply })
    }
}

impl Page {
    /// Where it sends the browser; fails the test when it does not.
    #[must_use]
    pub fn location(&self) -> String {
        assert_eq!(self.reply.status, 303, "no redirect but\n{}", self.reply.text());
        self.reply.header(header::LOCATION).to_owned()
    }

    /// Its only form that is posted; fails the test when there is none.
    #[must_use]
    pub fn form(&self) -> Form {
        let text = self.reply.text();
        let form = elements(&text, "form")
            .find(|tag| attribute(tag, "method").as_deref() == Some("post"))
            .unwrap_or_else(|| panic!("no form on {} ({}):\n{text}", self.url, self.reply.status));
        let action = attribute(form, "action").expect("a form has an action");
        let fields = elements(&text, "input")
            .filter(|tag| attribute(tag, "type").as_deref() == Some("hidden"))
            .filter_map(|tag| Some((attribute(tag, "name")?, attribute(tag, "value")?)))
            .collect();
        Form { action, fields }
    }

    /// The address of the first button that is a link; fails the test when there is none.
    #[must_use]
    pub fn first_button(&self) -> String {
        let text = self.reply.text();
        elements(&text, "a")
            .find(|tag| attribute(tag, "class").as_deref() == Some("first"))
            .and_then(|tag| attribute(tag, "href"))
            .unwrap_or_else(|| panic!("no button on {} ({}):\n{text}", self.url, self.reply.status))
    }

    /// The addresses of all links.
    #[must_use]
    pub fn links(&self) -> Vec<String> {
        elements(&self.reply.text(), "a").filter_map(|tag| attribute(tag, "href")).collect()
    }

    /// On an error page: the reference and the code.
    #[must_use]
    pub fn reference_and_code(&self) -> (String, String) {
        let text = self.reply.text();
        let mut codes = text.split("<code>").skip(1).filter_map(|rest| rest.split("</code>").next());
        match (codes.next(), codes.next()) {
            (Some(reference), Some(code)) => (unescaped(reference), unescaped(code)),
            _ => panic!("no error page at {} ({}):\n{text}", self.url, self.reply.status),
        }
    }
}

/// The start tags of an element, without what is inside it.
fn elements<'t>(text: &'t str, name: &'static str) -> impl Iterator<Item = &'t str> {
    text.split('<').filter_map(move |tag| {
        let rest = tag.strip_prefix(name)?;
        rest.starts_with([' ', '>']).then(|| rest.split('>').next())?
    })
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let start = tag.find(&format!(" {name}=\""))? + name.len() + 3;
    tag.get(start..)?.split('"').next().map(unescaped)
}

fn unescaped(text: &str) -> String {
    let mut parts = text.split('&');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once(';').unwrap_or_else(|| panic!("&{part} is not escaped"));
        let number = name
            .strip_prefix("#x")
            .map(|digits| u32::from_str_radix(digits, 16))
            .or_else(|| name.strip_prefix('#').map(str::parse));
        plain.push(match name {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            _ => number
                .and_then(Result::ok)
                .and_then(char::from_u32)
                .unwrap_or_else(|| panic!("&{name}; is not known here")),
        });
        plain.push_str(rest);
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::{attribute, elements, unescaped};

    #[test]
    fn a_form_is_read_as_a_browser_reads_it() {
        let text = r#"<form class="x" action="&#x2f;a?b=1&amp;c" method="post"><input type="hidden" name="n" value="&lt;&quot;å">"#;
        let form: Vec<_> = elements(text, "form").collect();
        assert_eq!(attribute(form[0], "action").as_deref(), Some("/a?b=1&c"));
        let input: Vec<_> = elements(text, "input").collect();
        assert_eq!(attribute(input[0], "value").as_deref(), Some("<\"å"));
        assert_eq!(unescaped("a&#39;b"), "a'b");
        assert_eq!(elements("<formula>", "form").count(), 0);
    }
}
