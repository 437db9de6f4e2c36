//! The login, and the words that every part of the broker shares.
//!
//! No XML, no HTTP, no store, no clock and no async runtime: a value goes in, with the [`moment::Moment`], and a value comes out.
//!
//! | module | what |
//! |---|---|
//! | [`request`] | what a relying party asks for, in neither protocol's words |
//! | [`user_message`] | what a relying party may say to a person on our pages |
//! | [`result`] | what a provider proved |
//! | [`attribute`], [`assurance`], [`subject`] | the closed vocabulary of both |
//! | [`organisation`], [`authority`], [`policy`] | what each peer may ask and assert |
//! | [`connection`] | which relying parties an employer lets its people reach, and what each may be told |
//! | [`suspension`] | what is suspended, and what a login stands on that may be |
//! | [`routing`] | which provider a login goes to |
//! | [`release`] | the ordered list of steps between "proved" and "leaves" |
//! | [`login`] | one type per state; each transition consumes the last |
//! | [`role`] | the two traits that are the whole contract with the protocols |
//! | [`port`] | what the process must bring: storage, time, randomness |
//! | [`failure`], [`audit`] | what went wrong, who must act, and the line that is left of it |
//!
//! Neighbours: `certs-proof` below (for `Verified`); `metadata`, `broker-saml`, `broker-oidc`, `broker-store` and `broker` above.

pub mod assurance;
pub mod attribute;
pub mod audit;
pub mod authority;
pub mod connection;
pub mod failure;
pub mod identifier;
pub mod login;
pub mod moment;
pub mod organisation;
pub mod policy;
pub mod port;
pub mod release;
pub mod request;
pub mod result;
pub mod role;
pub mod routing;
pub mod subject;
pub mod suspension;
pub mod user_message;
