//! The date and time that a template may print.

/// A moment of the Gregorian calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    days: i64,
    /// Since midnight.
    seconds: u32,
}

const DAY_SECONDS: i64 = 86_400;
const DAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

impl Moment {
    /// Returns the moment that many seconds after the start of 1970.
    pub fn from_unix(seconds: i64) -> Self {
        Self {
            days: seconds.div_euclid(DAY_SECONDS),
            seconds: u32::try_from(seconds.rem_euclid(DAY_SECONDS)).unwrap_or(0),
        }
    }

    /// Parses `YYYY-MM-DD`, or `YYYY-MM-DDTHH:MM:SS`. Returns `None` if it is neither.
    pub fn parse(text: &str) -> Option<Self> {
        let (date, time) = match text.split_once(['T', ' ']) {
            Some((date, time)) => (date, Some(time)),
            None => (text, None),
        };
        let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
        let [hour, minute, second] = match time {
            Some(time) => numbers(time, ':', [2, 2, 2])?,
            None => [0; 3],
        };
        let moment = Self {
            days: days_from_civil(i64::from(year), month, day),
            seconds: hour * 3600 + minute * 60 + second,
        };
        let is_real = moment.date() == (i64::from(year), month, day) && year > 0;
        (is_real && hour < 24 && minute < 60 && second < 60).then_some(moment)
    }

    /// Returns year, month, and day.
    fn date(self) -> (i64, u32, u32) {
        // Years begin in March, so that leap days end them.
        let shifted = self.days + 719_468;
        let era = shifted.div_euclid(146_097);
        let of_era = shifted.rem_euclid(146_097);
        let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year + year / 4 - year / 100);
        let month = (5 * of_year + 2) / 153;
        let day = of_year - (153 * month + 2) / 5 + 1;
        let month = if month < 10 { month + 3 } else { month - 9 };
        let year = year + era * 400 + i64::from(month <= 2);
        let small = |number: i64| u32::try_from(number).unwrap_or(1);
        (year, small(month), small(day))
    }

    /// Formats the moment as `strftime` of C does in the C locale. Returns `None` for a code that it does not know.
    pub fn format(self, format: &str) -> Option<String> {
        let mut text = String::new();
        let mut chars = format.chars();
        while let Some(c) = chars.next() {
            if c != '%' {
                text.push(c);
                continue;
            }
            let mut code = chars.next()?;
            let unpadded = code == '-';
            if unpadded {
                code = chars.next()?;
            }
            self.code(code, unpadded, &mut text)?;
        }
        Some(text)
    }

    fn code(self, code: char, unpadded: bool, text: &mut String) -> Option<()> {
        let (year, month, day) = self.date();
        let (hour, minute, second) = (
            self.seconds / 3600,
            self.seconds / 60 % 60,
            self.seconds % 60,
        );
        let weekday = (self.days + 4).rem_euclid(7);
        let name = |names: &[&'static str], at: i64| {
            let found = usize::try_from(at).ok().and_then(|at| names.get(at));
            found.copied().unwrap_or_default()
        };
        let day_name = name(&DAYS, weekday);
        let month_name = name(&MONTHS, i64::from(month) - 1);
        let of_year = self.days - days_from_civil(year, 1, 1) + 1;
        let twelve = match hour % 12 {
            0 => 12,
            hour => hour,
        };
        let mut number = |number: i64, width: usize, fill: char| {
            let digits = number.to_string();
            if !unpadded {
                text.extend(std::iter::repeat_n(
                    fill,
                    width.saturating_sub(digits.len()),
                ));
            }
            text.push_str(&digits);
        };
        match code {
            'Y' => number(year, 1, '0'),
            'y' => number(year.rem_euclid(100), 2, '0'),
            'C' => number(year.div_euclid(100), 2, '0'),
            'm' => number(month.into(), 2, '0'),
            'd' => number(day.into(), 2, '0'),
            'e' => number(day.into(), 2, ' '),
            'H' => number(hour.into(), 2, '0'),
            'k' => number(hour.into(), 2, ' '),
            'I' => number(twelve.into(), 2, '0'),
            'l' => number(twelve.into(), 2, ' '),
            'M' => number(minute.into(), 2, '0'),
            'S' => number(second.into(), 2, '0'),
            'j' => number(of_year, 3, '0'),
            'w' => number(weekday, 1, '0'),
            'u' => number(if weekday == 0 { 7 } else { weekday }, 1, '0'),
            's' => number(self.days * DAY_SECONDS + i64::from(self.seconds), 1, '0'),
            'f' => text.push_str("000000"),
            'A' => text.push_str(day_name),
            'a' => text.push_str(day_name.get(..3)?),
            'B' => text.push_str(month_name),
            'b' | 'h' => text.push_str(month_name.get(..3)?),
            'p' => text.push_str(if hour < 12 { "AM" } else { "PM" }),
            'P' => text.push_str(if hour < 12 { "am" } else { "pm" }),
            'n' => text.push('\n'),
            't' => text.push('\t'),
            '%' => text.push('%'),
            // A moment has no time zone.
            'z' | 'Z' => {}
            'D' | 'x' => text.push_str(&self.format("%m/%d/%y")?),
            'F' => text.push_str(&self.format("%Y-%m-%d")?),
            'T' | 'X' => text.push_str(&self.format("%H:%M:%S")?),
            'R' => text.push_str(&self.format("%H:%M")?),
            'r' => text.push_str(&self.format("%I:%M:%S %p")?),
            'c' => text.push_str(&self.format("%a %b %e %H:%M:%S %Y")?),
            _ => return None,
        }
        Some(())
    }
}

/// Returns the number of days since the start of 1970.
fn days_from_civil(year: i64, month: u32, day: u32) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let month = i64::from(month);
    let of_year =
        (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + i64::from(day) - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

fn numbers(text: &str, separator: char, widths: [usize; 3]) -> Option<[u32; 3]> {
    let mut numbers = [0; 3];
    let mut parts = text.split(separator);
    for (number, width) in numbers.iter_mut().zip(widths) {
        let part = parts.next()?;
        if part.len() != width || !part.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        *number = part.parse().ok()?;
    }
    parts.next().is_none().then_some(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_printed_as_strftime_does() {
        let moment = Moment::parse("2024-07-26T09:05:03").unwrap();
        for (format, expected) in [
            ("%d %b %Y", "26 Jul 2024"),
            ("%Y-%m-%d", "2024-07-26"),
            ("%A, %B %-d, %Y", "Friday, July 26, 2024"),
            (
                "%H:%M:%S|%I %p|%j|%y|%e|%a|%u|%w|%%",
                "09:05:03|09 AM|208|24|26|Fri|5|5|%",
            ),
            (
                "%-H:%-M %c %D %F %T",
                "9:5 Fri Jul 26 09:05:03 2024 07/26/24 2024-07-26 09:05:03",
            ),
        ] {
            assert_eq!(moment.format(format).as_deref(), Some(expected), "{format}");
        }
        assert_eq!(moment.format("%Q"), None);
        assert_eq!(moment.format("%"), None);
        let leap = Moment::parse("2000-02-29").unwrap();
        assert_eq!(leap.format("%j %A").as_deref(), Some("060 Tuesday"));
        assert_eq!(
            Moment::from_unix(0).format("%F %T %a").as_deref(),
            Some("1970-01-01 00:00:00 Thu")
        );
        assert_eq!(
            Moment::from_unix(-1).format("%F %T").as_deref(),
            Some("1969-12-31 23:59:59")
        );
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in [
            "",
            "2024",
            "2024-13-01",
            "2023-02-29",
            "2024-7-1",
            "2024-07-26T25:00:00",
            "0000-01-01",
            "2024-07-26T",
        ] {
            assert_eq!(Moment::parse(text), None, "{text}");
        }
    }
}
