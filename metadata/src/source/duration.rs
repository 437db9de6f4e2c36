//! `xs:duration` (XML Schema 2, section 3.2.6), as `cacheDuration` has it.

/// Reads a duration into seconds. A year counts 365 days and a month 30: whoever keeps something for months asks again within days all
/// the same. Fractions are dropped. `None`: it is none, it is negative, or it is out of all reason.
#[must_use]
pub fn seconds(text: &str) -> Option<i64> {
    const DATE: [(u8, i64); 3] = [(b'Y', 365 * 86_400), (b'M', 30 * 86_400), (b'D', 86_400)];
    const CLOCK: [(u8, i64); 3] = [(b'H', 3_600), (b'M', 60), (b'S', 1)];
    let written = text.trim().strip_prefix('P')?;
    match written.split_once('T') {
        None => part(written, &DATE)?,
        Some(("", clock)) => part(clock, &CLOCK)?,
        Some((date, clock)) => Some(part(date, &DATE)??.checked_add(part(clock, &CLOCK)??)?),
    }
}

/// The sum of numbers with units, each unit at most once and in this order. Outer `None`: it is no such thing; inner: too much.
fn part(text: &str, units: &[(u8, i64)]) -> Option<Option<i64>> {
    let mut units = units.iter();
    let mut rest = text.as_bytes();
    let mut sum = Some(0_i64);
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.iter().take_while(|octet| octet.is_ascii_digit()).count();
        let whole = std::str::from_utf8(rest.get(..digits)?).ok()?;
        let mut unit = rest.get(digits..)?;
        let mut fraction = false;
        if let Some(decimals) = unit.strip_prefix(b".") {
            let length = decimals.iter().take_while(|octet| octet.is_ascii_digit()).count();
            fraction = length > 0;
            unit = decimals.get(length..)?;
            if !fraction {
                return None;
            }
        }
        let (letter, after) = unit.split_first()?;
        let (_, worth) = units.find(|(known, _)| known == letter)?;
        // Only seconds have fractions.
        if digits == 0 || (fraction && *letter != b'S') {
            return None;
        }
        sum = sum
            .zip(whole.parse::<i64>().ok())
            .and_then(|(sum, whole)| sum.checked_add(whole.checked_mul(*worth)?));
        rest = after;
    }
    Some(sum)
}

#[cfg(test)]
mod tests {
    use super::seconds;

    #[test]
    fn durations_as_federations_write_them() {
        for (text, expected) in [
            ("PT6H", 6 * 3_600),
            ("P1D", 86_400),
            ("P1M", 30 * 86_400),
            ("PT1M", 60),
            ("P1Y2M3DT4H5M6S", 365 * 86_400 + 63 * 86_400 + 4 * 3_600 + 5 * 60 + 6),
            ("PT3600.5S", 3_600),
            (" PT0S ", 0),
        ] {
            assert_eq!(seconds(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for text in [
            "",
            "P",
            "PT",
            "P1DT",
            "6H",
            "PT6",
            "-PT6H",
            "PT6D",
            "P1H",
            "PT1S1H",
            "PT1H1H",
            "PT1.5H",
            "PT.5S",
            "PT1.S",
            "PTS",
            "P99999999999999999999Y",
            "P999999999999999Y",
            "PT6Hx",
            "p1d",
            "PÅ",
        ] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }
}
