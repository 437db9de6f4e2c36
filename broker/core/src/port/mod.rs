//! What the process must bring: storage. (Time and randomness are [`crate::moment`].)

mod store;

pub use store::{
    AttemptId, Finish, Finished, HeadMoved, Once, Pending, Put, Store, StoreError, StoreKey, Taken,
};
