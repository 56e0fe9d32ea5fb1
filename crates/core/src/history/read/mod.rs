//! Reads one line of a log: [`mod@line`] recognises its form, [`record`] reads the function's records of any version, [`hold_line`] the
//! hold's last lines, [`ecs_event`] ECS's events of the capacity watch.

pub(crate) mod ecs_event;
pub(crate) mod hold_line;
pub(crate) mod line;
pub(crate) mod record;
