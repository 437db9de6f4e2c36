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
//! | `attack/replay.rs` | answers that were used, come twice, or come by another way |
//! | `attack/exchange.rs` | what one browser was given, carried into another, at every step |

#[path = "attack/addressee.rs"]
mod addressee;
#[path = "attack/algorithm.rs"]
mod algorithm;
#[path = "attack/document.rs"]
mod document;
#[path = "attack/exchange.rs"]
mod exchange;
#[path = "attack/keys.rs"]
mod keys;
#[path = "attack/kit.rs"]
mod kit;
#[path = "attack/replay.rs"]
mod replay;
#[path = "attack/time.rs"]
mod time;
#[path = "attack/wrapping.rs"]
mod wrapping;

#[test]
fn wrapping_leads_nobody_astray() {
    kit::run(kit::vectors(wrapping::VECTORS));
}

#[test]
fn a_document_says_one_thing() {
    kit::run(async {
        kit::vectors(document::VECTORS).await;
        kit::scenarios(document::SCENARIOS).await;
    });
}

#[test]
fn an_algorithm_is_one_of_the_few() {
    kit::run(kit::vectors(algorithm::VECTORS));
}

#[test]
fn a_key_is_a_registered_one() {
    kit::run(async {
        kit::vectors(keys::VECTORS).await;
        kit::scenarios(keys::SCENARIOS).await;
    });
}

#[test]
fn a_message_is_for_us_and_from_the_one_who_was_asked() {
    kit::run(kit::vectors(addressee::VECTORS));
}

#[test]
fn a_message_is_of_now() {
    kit::run(kit::vectors(time::VECTORS));
}

#[test]
fn an_answer_counts_once_and_by_its_own_way() {
    kit::run(kit::scenarios(replay::SCENARIOS));
}

#[test]
fn what_one_browser_was_given_is_worth_nothing_in_another() {
    kit::run(kit::scenarios(exchange::SCENARIOS));
}
