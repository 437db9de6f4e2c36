//! Attacks on a running broker, each beside a genuine twin that passes under the same conditions.
//!
//! | file | family |
//! |---|---|
//! | `attack/wrapping.rs` | a genuine signature, and something else to be read |
//! | `attack/document.rs` | documents that two readers take for two things |
//! | `attack/algorithm.rs` | signatures whose algorithms are bent |
//! | `attack/keys.rs` | keys that nobody registered |
//! | `attack/addressee.rs` | genuine messages for somebody else, from somebody else |
//! | `attack/time.rs` | clocks |

#[path = "attack/addressee.rs"]
mod addressee;
#[path = "attack/algorithm.rs"]
mod algorithm;
#[path = "attack/document.rs"]
mod document;
#[path = "attack/keys.rs"]
mod keys;
#[path = "attack/kit.rs"]
mod kit;
#[path = "attack/time.rs"]
mod time;
#[path = "attack/wrapping.rs"]
mod wrapping;

#[tokio::test(flavor = "multi_thread")]
async fn wrapping_leads_nobody_astray() {
    kit::vectors(wrapping::VECTORS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_says_one_thing() {
    kit::vectors(document::VECTORS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_algorithm_is_one_of_the_few() {
    kit::vectors(algorithm::VECTORS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_a_registered_one() {
    kit::vectors(keys::VECTORS).await;
    kit::scenarios(keys::SCENARIOS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_for_us_and_from_the_one_who_was_asked() {
    kit::vectors(addressee::VECTORS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_of_now() {
    kit::vectors(time::VECTORS).await;
}
