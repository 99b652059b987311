mod authorize;
mod introspect;
mod revoke;
mod step_up;
mod token;
