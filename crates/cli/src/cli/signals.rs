//! The signals that end a command early. The command then undoes or stops what it has started.

use std::io;

use tokio::signal::unix::{SignalKind, signal};

/// Waits for Ctrl-C, SIGTERM, or the end of the terminal session.
pub(crate) async fn until_stopped() -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted,
        _ = terminate.recv() => Ok(()),
        _ = hangup.recv() => Ok(()),
    }
}
