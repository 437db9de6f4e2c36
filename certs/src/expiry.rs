//! How long a certificate lasts, and when somebody should hear of it.

use std::time::SystemTime;

const DAY: u64 = 24 * 60 * 60;

/// How near the end is. Ordered: the later, the more urgent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ExpiryStage {
    /// More than 90 days left: nothing to say.
    Distant,
    /// At most 90 days left: plan the rollover.
    Within90Days,
    /// At most 30 days left: publish the next key now.
    Within30Days,
    /// At most 7 days left.
    Within7Days,
    /// Past.
    Expired,
}

/// The stage of something that is valid until `not_after`, seen at `now`.
pub fn stage(not_after: SystemTime, now: SystemTime) -> ExpiryStage {
    match not_after.duration_since(now) {
        Err(_) => ExpiryStage::Expired,
        Ok(left) if left.as_secs() <= 7 * DAY => ExpiryStage::Within7Days,
        Ok(left) if left.as_secs() <= 30 * DAY => ExpiryStage::Within30Days,
        Ok(left) if left.as_secs() <= 90 * DAY => ExpiryStage::Within90Days,
        Ok(_) => ExpiryStage::Distant,
    }
}

/// Whole days left until `not_after`, seen at `now`; negative once it is past (-1 on the first day).
pub fn days_left(not_after: SystemTime, now: SystemTime) -> i64 {
    match not_after.duration_since(now) {
        Ok(left) => i64::try_from(left.as_secs() / DAY).unwrap_or(i64::MAX),
        Err(past) => i64::try_from(past.duration().as_secs() / DAY).map_or(i64::MIN, |days| -days - 1),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn at(days: u64, seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(days * DAY + seconds)
    }

    #[test]
    fn the_stages_begin_at_90_30_and_7_days_and_at_the_end() {
        let end = at(100, 0);
        for (now, expected) in [
            (at(9, 0), ExpiryStage::Distant),
            (at(10, 0), ExpiryStage::Within90Days),
            (at(69, 0), ExpiryStage::Within90Days),
            (at(70, 0), ExpiryStage::Within30Days),
            (at(93, 0), ExpiryStage::Within7Days),
            (at(100, 0), ExpiryStage::Within7Days),
            (at(100, 1), ExpiryStage::Expired),
        ] {
            assert_eq!(stage(end, now), expected, "{now:?}");
        }
        assert!(ExpiryStage::Expired > ExpiryStage::Within7Days);
    }

    #[test]
    fn days_are_whole_and_turn_negative_at_the_end() {
        let end = at(100, 0);
        assert_eq!(days_left(end, at(93, 0)), 7);
        assert_eq!(days_left(end, at(93, 1)), 6);
        assert_eq!(days_left(end, at(100, 0)), 0);
        assert_eq!(days_left(end, at(100, 1)), -1);
        assert_eq!(days_left(end, at(101, 1)), -2);
    }
}
