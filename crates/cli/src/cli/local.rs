//! `spotdrain local`: a local AWS, in the foreground.

use std::fs;
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use spotdrain_localaws::{Action, LocalAws, Scene, World};

use super::args::LocalArgs;
use super::exit::{CliError, Exit};
use super::output::style::{BOLD, QUIET};
use super::output::write_error;
use super::signals::until_stopped;

/// The world to serve, and its description in the introduction.
struct Served {
    world: World,
    contents: String,
    examples: String,
}

pub(crate) async fn run(args: &LocalArgs) -> Result<Exit, CliError> {
    let Served { world, contents, examples } = match &args.world {
        Some(file) => from_file(file)?,
        None => demo(),
    };
    let region = world.location().region.clone();
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, args.port));
    let local = LocalAws::start_on(world, address)
        .await
        .map_err(|error| CliError::Failed(format!("cannot listen on {address}: {error}")))?;
    let introduction = introduction(&local.endpoint(), &region, &contents, &examples);
    write!(anstream::stdout(), "{introduction}").map_err(|error| write_error(&error))?;
    until_stopped().await.map_err(|error| CliError::Failed(format!("cannot wait for a signal: {error}")))?;
    drop(local);
    writeln!(anstream::stdout(), "stopped").map_err(|error| write_error(&error))?;
    Ok(Exit::Done)
}

fn demo() -> Served {
    let Scene { world, group, .. } = Scene::demo();
    Served {
        world,
        contents: "the demo's service of four tasks".to_owned(),
        examples: format!(
            "spotdrain drain --restamp events/spot-interruption.json\n\
             aws sts get-caller-identity\n\
             aws elbv2 describe-target-health --target-group-arn {group}\n"
        ),
    }
}

fn from_file(file: &Path) -> Result<Served, CliError> {
    let name = file.display();
    let text = fs::read_to_string(file)
        .map_err(|error| CliError::Configuration(format!("cannot read the world file {name}: {error}")))?;
    let world = World::from_json(&text)
        .map_err(|error| CliError::Configuration(format!("cannot load the world file {name}: {error}")))?;
    let examples = "aws sts get-caller-identity\naws elbv2 describe-target-groups\n".to_owned();
    Ok(Served { world, contents: format!("the world of {name}"), examples })
}

fn introduction(endpoint: &str, region: &str, contents: &str, examples: &str) -> String {
    format!(
        "{BOLD}A local AWS is at {endpoint}{BOLD:#} with {contents}. In another terminal:\n\n\
         export AWS_ENDPOINT_URL={endpoint}\n\
         export AWS_REGION={region} AWS_DEFAULT_REGION={region}\n\
         export AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local\n\n\
         {QUIET}# for example{QUIET:#}\n\
         {examples}\n\
         It simulates these actions and refuses all others:\n\
         {}\n\
         Ctrl-C stops it.\n",
        simulated()
    )
}

/// Returns one line for each service, with its actions.
fn simulated() -> String {
    let line = |(service, actions): (&str, Vec<Action>)| {
        let names: Vec<_> = actions.into_iter().map(Action::name).collect();
        format!("  {service}: {}\n", names.join(", "))
    };
    Action::by_service().into_iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_introduction_lists_the_services_and_their_actions() {
        let text = introduction("http://127.0.0.1:1", "eu-west-1", "the world of a.json", "example\n");
        let expected = [
            "export AWS_REGION=eu-west-1 AWS_DEFAULT_REGION=eu-west-1\n",
            "\n  ECS: DescribeServices, DescribeServiceRevisions, ",
            "\n  STS: GetCallerIdentity\n",
        ];
        for part in expected {
            assert!(text.contains(part), "{part}: {text}");
        }
    }

    #[test]
    fn an_invalid_world_file_is_a_configuration_error_with_the_path_of_the_field() {
        let file = std::env::temp_dir().join(format!("spotdrain-world-{}.json", std::process::id()));
        fs::write(&file, r#"{"clusters": "web"}"#).unwrap();
        let problem = from_file(&file).err().unwrap();
        fs::remove_file(&file).unwrap();
        assert_eq!(problem.exit(), Exit::BadConfiguration);
        assert!(problem.to_string().ends_with("clusters: expected a list, found `\"web\"`"), "{problem}");
    }
}
