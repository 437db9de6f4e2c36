//! Times as people write them, in Swedish local time: the employees' clocks, and the help desk's.

use broker_core::moment::Timestamp;

/// A time taken apart.
pub(super) struct LocalTime {
    /// The year, four digits.
    pub(super) year: String,
    /// 1 to 12.
    pub(super) month: u8,
    /// 1 to 31.
    pub(super) day: u8,
    /// `09`.
    pub(super) hour: String,
    /// `05`.
    pub(super) minute: String,
}

/// What a clock on a Swedish wall shows; `None` outside the years 0 to 9999.
pub(super) fn swedish(at: Timestamp) -> Option<LocalTime> {
    let offset = if is_summer(at)? { 7200 } else { 3600 };
    let text = at.plus(offset).to_rfc3339();
    Some(LocalTime {
        year: text.get(0..4)?.to_owned(),
        month: text.get(5..7)?.parse().ok()?,
        day: text.get(8..10)?.parse().ok()?,
        hour: text.get(11..13)?.to_owned(),
        minute: text.get(14..16)?.to_owned(),
    })
}

/// Summer time, from the last Sunday of March to the last of October, changing at 01:00 UTC (directive 2000/84/EC, articles 2 and 3).
fn is_summer(at: Timestamp) -> Option<bool> {
    let text = at.to_rfc3339();
    let year = text.get(0..4)?;
    Some(at >= last_sunday(year, "03")? && at < last_sunday(year, "10")?)
}

/// 01:00 UTC on the last Sunday of a month of 31 days.
fn last_sunday(year: &str, month: &str) -> Option<Timestamp> {
    let end = Timestamp::from_rfc3339(&format!("{year}-{month}-31T01:00:00Z"))?;
    // Day 0 of the epoch was a Thursday: day 3 was a Sunday.
    let days_after_sunday = (end.0.div_euclid(86_400) - 3).rem_euclid(7);
    Some(end.plus(-days_after_sunday * 86_400))
}

#[cfg(test)]
mod tests {
    use broker_core::moment::Timestamp;

    use super::swedish;

    fn wall_clock(utc: &str) -> String {
        let time = swedish(Timestamp::from_rfc3339(utc).expect("a time")).expect("a local time");
        format!("{} {} {} {}:{}", time.year, time.month, time.day, time.hour, time.minute)
    }

    #[test]
    fn summer_time_begins_and_ends_at_one_utc() {
        assert_eq!(wall_clock("2026-03-29T00:59:59Z"), "2026 3 29 01:59");
        assert_eq!(wall_clock("2026-03-29T01:00:00Z"), "2026 3 29 03:00");
        assert_eq!(wall_clock("2026-10-25T00:59:59Z"), "2026 10 25 02:59");
        assert_eq!(wall_clock("2026-10-25T01:00:00Z"), "2026 10 25 02:00");
    }

    #[test]
    fn a_new_year_begins_an_hour_before_utc() {
        assert_eq!(wall_clock("2026-12-31T23:30:00Z"), "2027 1 1 00:30");
    }
}
