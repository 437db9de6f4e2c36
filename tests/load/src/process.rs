//! What Linux knows of a process.

use std::{fs, time::Duration};

/// Processor time of all threads of a process, the kernel's share included: the sum of `/proc/PID/task/*/schedstat`, in nanoseconds. Threads that
/// have ended are not in it; a node's do not end.
pub(crate) fn time(process_id: u32) -> Duration {
    let tasks = fs::read_dir(format!("/proc/{process_id}/task")).into_iter().flatten().flatten();
    let nanoseconds =
        tasks.filter_map(|task| of_thread(&fs::read_to_string(task.path().join("schedstat")).ok()?)).sum();
    Duration::from_nanos(nanoseconds)
}

/// Processor time of this process's threads of a name.
pub(crate) fn own_threads(name: &str) -> Duration {
    let tasks = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let nanoseconds = tasks
        .filter(|task| fs::read_to_string(task.path().join("comm")).is_ok_and(|comm| comm.trim_end() == name))
        .filter_map(|task| of_thread(&fs::read_to_string(task.path().join("schedstat")).ok()?))
        .sum();
    Duration::from_nanos(nanoseconds)
}

/// Processor time of this thread.
pub(crate) fn own_thread() -> Duration {
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    Duration::from_nanos(of_thread(&text).unwrap_or_default())
}

fn of_thread(schedstat: &str) -> Option<u64> {
    schedstat.split_whitespace().next()?.parse().ok()
}

/// Resident memory of a process in octets: now, and at its height.
pub(crate) fn memory(process_id: u32) -> Option<(u64, u64)> {
    let status = fs::read_to_string(format!("/proc/{process_id}/status")).ok()?;
    let octets = |name: &str| -> Option<u64> {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        Some(line.split_whitespace().next()?.parse::<u64>().ok()? * 1024)
    };
    Some((octets("VmRSS:")?, octets("VmHWM:")?))
}
