//! `spotdrain local`: an AWS on this machine, in the foreground.

use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};

use spotdrain_localaws::{LocalAws, Scene};
use tokio::signal::unix::{SignalKind, signal};

use super::args::LocalArgs;
use super::exit::{Exit, Problem};
use super::present::{BOLD, QUIET};
use super::show::broken;

pub(crate) async fn run(args: &LocalArgs) -> Result<Exit, Problem> {
    let scene = Scene::demo();
    let group = scene.group.clone();
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, args.port));
    let local = LocalAws::start_on(scene.world, address)
        .await
        .map_err(|error| Problem::Failed(format!("cannot listen on {address}: {error}")))?;
    write!(anstream::stdout(), "{}", introduction(&local.endpoint(), &group)).map_err(|error| broken(&error))?;
    until_stopped().await.map_err(|error| Problem::Failed(format!("cannot wait for a signal: {error}")))?;
    drop(local);
    writeln!(anstream::stdout(), "stopped").map_err(|error| broken(&error))?;
    Ok(Exit::Done)
}

fn introduction(endpoint: &str, group: &str) -> String {
    format!(
        "{BOLD}A local AWS is at {endpoint}{BOLD:#} (ELBv2, ECS and SQS) with the demo's service of four tasks.\n\n\
         export AWS_ENDPOINT_URL={endpoint}\n\
         export AWS_REGION=eu-central-1 AWS_DEFAULT_REGION=eu-central-1\n\
         export AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local\n\n\
         {QUIET}# then, for example{QUIET:#}\n\
         spotdrain drain --restamp --event events/spot-interruption.json\n\
         aws --endpoint-url {endpoint} elbv2 describe-target-health --target-group-arn {group}\n\n\
         Ctrl-C stops it.\n"
    )
}

/// Until Ctrl-C or SIGTERM.
pub(crate) async fn until_stopped() -> std::io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted,
        _ = terminate.recv() => Ok(()),
    }
}
