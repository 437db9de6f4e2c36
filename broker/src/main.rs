//! The process: `sparvidd`.

#[expect(dead_code, unused_imports, reason = "the endpoints that show the pages come next")]
mod page;

fn main() {}
