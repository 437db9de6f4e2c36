//! XML as it is written: a tree that keeps prefixes, quotes, references and comments, so that one of them can be changed alone.
//!
//! It reads only what the tests wrote and checks nothing: it must be able to write what no reader takes.

/// Deterministic numbers (xorshift): the same documents in every run.
pub(crate) struct Numbers(u64);

impl Numbers {
    /// The numbers of one document out of many; each document can be made again alone.
    pub(crate) fn of(document: u64) -> Self {
        let mut numbers = Self(0x5EED_0F5A_6A71_77D3 ^ document.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        for _ in 0..8 {
            numbers.below(2);
        }
        numbers
    }

    /// A number below `bound`, or 0.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap_or_default() % bound.max(1)
    }

    /// One of several.
    pub(crate) fn of_these<'a, T>(&mut self, these: &'a [T]) -> &'a T {
        &these[self.below(these.len())]
    }
}

/// An attribute or a namespace declaration, its value with references as written.
#[derive(Clone)]
pub(crate) struct Attribute {
    pub(crate) name: String,
    pub(crate) value: String,
    pub(crate) quote: char,
}

impl Attribute {
    pub(crate) fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: name.into(), value: value.into(), quote: '"' }
    }

    /// The prefix that it declares, `""` for the default namespace.
    pub(crate) fn declares(&self) -> Option<&str> {
        match self.name.as_str() {
            "xmlns" => Some(""),
            name => name.strip_prefix("xmlns:"),
        }
    }
}

#[derive(Clone)]
pub(crate) enum Node {
    Element(Element),
    /// Text, comments, processing instructions and character data, as written.
    Raw(String),
}

#[derive(Clone, Default)]
pub(crate) struct Element {
    pub(crate) name: String,
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) children: Vec<Node>,
    /// White space before the end of the start tag.
    pub(crate) space: String,
}

/// Where an element stands: the index among the children of its parent, and so on from the root.
pub(crate) type Path = Vec<usize>;

impl Element {
    pub(crate) fn new(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    pub(crate) fn local_name(&self) -> &str {
        self.name.rsplit(':').next().unwrap_or_default()
    }

    pub(crate) fn attribute(&mut self, name: &str) -> Option<&mut Attribute> {
        self.attributes.iter_mut().find(|attribute| attribute.name == name)
    }

    pub(crate) fn elements(&mut self) -> impl Iterator<Item = &mut Element> {
        self.children.iter_mut().filter_map(|child| match child {
            Node::Element(element) => Some(element),
            Node::Raw(_) => None,
        })
    }

    /// Takes out the first child of that local name.
    pub(crate) fn take(&mut self, local_name: &str) -> Option<Element> {
        let at = self.children.iter().position(
            |child| matches!(child, Node::Element(element) if element.local_name() == local_name),
        )?;
        match self.children.remove(at) {
            Node::Element(element) => Some(element),
            Node::Raw(_) => None,
        }
    }

    /// Does something to this element and all below it.
    pub(crate) fn each(&mut self, change: &mut impl FnMut(&mut Element)) {
        change(self);
        self.elements().for_each(|element| element.each(change));
    }

    fn write(&self, to: &mut String) {
        to.push('<');
        to.push_str(&self.name);
        for Attribute { name, value, quote } in &self.attributes {
            to.push(' ');
            to.push_str(name);
            to.push('=');
            to.push(*quote);
            to.push_str(value);
            to.push(*quote);
        }
        to.push_str(&self.space);
        if self.children.is_empty() {
            to.push_str("/>");
            return;
        }
        to.push('>');
        for child in &self.children {
            match child {
                Node::Element(element) => element.write(to),
                Node::Raw(text) => to.push_str(text),
            }
        }
        to.push_str("</");
        to.push_str(&self.name);
        to.push('>');
    }
}

#[derive(Clone)]
pub(crate) struct Tree {
    pub(crate) before: String,
    pub(crate) root: Element,
    pub(crate) after: String,
}

impl Tree {
    /// Reads a document that is known to be well-formed.
    pub(crate) fn read(source: &str) -> Self {
        let mut rest = source;
        let mut open: Vec<Element> = vec![Element::default()];
        let mut before = None;
        while !rest.is_empty() {
            let (piece, next) = rest.split_at(piece_of(rest));
            rest = next;
            if let Some(name) = piece.strip_prefix("</") {
                let mut element = open.pop().expect("an end has a beginning");
                if element.children.is_empty() {
                    // So that it is written with an end again.
                    element.children.push(Node::Raw(String::new()));
                }
                assert_eq!(element.name, name.trim_end_matches('>').trim_end());
                open.last_mut().expect("the document").children.push(Node::Element(element));
            } else if piece.starts_with('<') && !piece.starts_with("<!") && !piece.starts_with("<?") {
                if open.len() == 1 && before.is_none() {
                    before = Some(std::mem::take(&mut open[0].children));
                }
                let element = start_tag(piece);
                if piece.ends_with("/>") {
                    open.last_mut().expect("the document").children.push(Node::Element(element));
                } else {
                    open.push(element);
                }
            } else {
                open.last_mut().expect("the document").children.push(Node::Raw(piece.to_owned()));
            }
        }
        assert_eq!(open.len(), 1, "every beginning has an end");
        let mut document = open.remove(0).children.into_iter();
        let Some(Node::Element(root)) = document.next() else { panic!("a document has a root") };
        let raw = |node: Node| match node {
            Node::Raw(text) => text,
            Node::Element(_) => panic!("a document has one root"),
        };
        Self {
            before: before.into_iter().flatten().map(raw).collect(),
            root,
            after: document.map(raw).collect(),
        }
    }

    pub(crate) fn write(&self) -> String {
        let mut text = self.before.clone();
        self.root.write(&mut text);
        text.push_str(&self.after);
        text
    }

    /// Every element, the root first.
    pub(crate) fn paths(&self) -> Vec<Path> {
        fn collect(element: &Element, path: &Path, paths: &mut Vec<Path>) {
            paths.push(path.clone());
            for (at, child) in element.children.iter().enumerate() {
                if let Node::Element(child) = child {
                    let mut path = path.clone();
                    path.push(at);
                    collect(child, &path, paths);
                }
            }
        }
        let mut paths = Vec::new();
        collect(&self.root, &Path::new(), &mut paths);
        paths
    }

    /// The paths of the elements that something holds for.
    pub(crate) fn paths_where(&self, holds: impl Fn(&Element) -> bool) -> Vec<Path> {
        self.paths().into_iter().filter(|path| holds(self.at(path))).collect()
    }

    pub(crate) fn at(&self, path: &[usize]) -> &Element {
        path.iter().fold(&self.root, |element, at| match &element.children[*at] {
            Node::Element(child) => child,
            Node::Raw(_) => panic!("a path leads to an element"),
        })
    }

    pub(crate) fn at_mut(&mut self, path: &[usize]) -> &mut Element {
        path.iter().fold(&mut self.root, |element, at| match &mut element.children[*at] {
            Node::Element(child) => child,
            Node::Raw(_) => panic!("a path leads to an element"),
        })
    }

    /// Takes out an element; not the root.
    pub(crate) fn remove(&mut self, path: &[usize]) -> Option<Element> {
        let (last, parent) = path.split_last()?;
        match self.at_mut(parent).children.remove(*last) {
            Node::Element(element) => Some(element),
            Node::Raw(_) => None,
        }
    }
}

/// How long the next tag, comment, instruction, piece of character data or text is.
fn piece_of(rest: &str) -> usize {
    for (start, end) in [("<!--", "-->"), ("<![CDATA[", "]]>"), ("<?", "?>")] {
        if rest.starts_with(start) {
            return rest.find(end).expect("it ends") + end.len();
        }
    }
    if !rest.starts_with('<') {
        return rest.find('<').unwrap_or(rest.len());
    }
    let mut quote = None;
    let end = rest.char_indices().find(|(_, character)| match (quote, character) {
        (None, '>') => true,
        (None, '"' | '\'') => {
            quote = Some(*character);
            false
        }
        (Some(open), character) if open == *character => {
            quote = None;
            false
        }
        _ => false,
    });
    end.expect("a tag ends").0 + 1
}

fn start_tag(piece: &str) -> Element {
    let inner = piece.trim_start_matches('<').trim_end_matches('>').trim_end_matches('/');
    let name_end = inner.find(char::is_whitespace).unwrap_or(inner.len());
    let (name, mut rest) = inner.split_at(name_end);
    let mut element = Element::new(name);
    loop {
        rest = rest.trim_start();
        let Some((name, after)) = rest.split_once('=') else { break };
        let after = after.trim_start();
        let quote = after.chars().next().expect("a value");
        let (value, next) = after[1..].split_once(quote).expect("a value ends");
        element.attributes.push(Attribute {
            name: name.trim_end().to_owned(),
            value: value.to_owned(),
            quote,
        });
        rest = next;
    }
    element
}
