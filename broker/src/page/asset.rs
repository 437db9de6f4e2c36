//! Style sheet and scripts: in the binary, named by their content (`sparvidd.3f9a0c….css`), so that a browser may keep them for ever
//! and a new release is seen at once.

use std::fmt::Write as _;

/// One file that pages refer to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asset {
    /// The media type for the Content-Type header.
    pub(crate) content_type: &'static str,
    /// The octets.
    pub(crate) bytes: Vec<u8>,
    /// What templates call it.
    plain: &'static str,
    /// Where it stands: `/assets/…`.
    path: String,
}

#[cfg(test)]
impl Asset {
    /// Where it stands on this host.
    pub(super) fn path(&self) -> &str {
        &self.path
    }
}

/// Where assets stand on this host.
const FOLDER: &str = "/assets/";

/// All of them.
#[derive(Debug)]
pub(super) struct Assets(Vec<Asset>);

impl Assets {
    /// Ours, with the operator's style after our own.
    pub(super) fn new(operator_style: Option<&str>) -> Self {
        let mut style = include_str!("../../pages/asset/sparvidd.css").to_owned();
        if let Some(more) = operator_style {
            style.push('\n');
            style.push_str(more);
        }
        Self(vec![
            named("sparvidd", "sparvidd.css", "css", "text/css; charset=utf-8", style.into_bytes()),
            named(
                "choice",
                "choice.js",
                "js",
                "text/javascript; charset=utf-8",
                include_bytes!("../../pages/asset/choice.js").to_vec(),
            ),
            named(
                "submit",
                "submit.js",
                "js",
                "text/javascript; charset=utf-8",
                include_bytes!("../../pages/asset/submit.js").to_vec(),
            ),
            named(
                "operator",
                "operator.js",
                "js",
                "text/javascript; charset=utf-8",
                include_bytes!("../../pages/asset/operator.js").to_vec(),
            ),
            named(
                "mark",
                "mark.svg",
                "svg",
                "image/svg+xml",
                include_bytes!("../../pages/asset/mark.svg").to_vec(),
            ),
        ])
    }

    /// The asset whose file name, hash included, is `name`.
    pub(super) fn find(&self, name: &str) -> Option<&Asset> {
        self.0.iter().find(|asset| asset.path.strip_prefix(FOLDER) == Some(name))
    }

    /// All of them, for looking at.
    #[cfg(test)]
    pub(super) fn every(&self) -> &[Asset] {
        &self.0
    }

    /// The path of the asset that templates call `plain`.
    pub(super) fn path(&self, plain: &str) -> Option<&str> {
        self.0.iter().find(|asset| asset.plain == plain).map(|asset| asset.path.as_str())
    }
}

fn named(
    stem: &str,
    plain: &'static str,
    extension: &str,
    content_type: &'static str,
    bytes: Vec<u8>,
) -> Asset {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &bytes);
    let mut path = format!("{FOLDER}{stem}.");
    for byte in digest.as_ref().iter().take(8) {
        // Writing to a String cannot fail.
        let _ = write!(path, "{byte:02x}");
    }
    path.push('.');
    path.push_str(extension);
    Asset { content_type, bytes, plain, path }
}
