mod authorize;
mod introspect;
mod revoke;
mod token;
