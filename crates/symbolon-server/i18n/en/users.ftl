# Users, for administrators.
users_title = Users
users_search = Find by the beginning of the name
users_search_submit = Find
users_none = No user found.
users_first = First page
users_next = Next page
user_roles = Roles
user_state = State
user_created = Created
user_active = Active
user_disabled = Disabled
user_disabled_at = Disabled since
user_add = Add a user
user_add_submit = Add user
user_make_admin = Administrator: may manage users and apps
new_password_hint = At least 8 characters; 15 or more are better. Any characters, spaces too.
bad_identifier = This cannot be a user name or an e-mail address: no spaces or invisible characters, at most one @.
bad_password_short = The password needs at least 8 characters.
bad_password_long = The password is too long: 1,024 bytes at most.
identifier_taken = There is a user with that name already.

user_logins = Devices signed in
no_logins = Not signed in on any device.
force_logout = Force logout
force_logout_label = Force logout: { $device }
user_sign_out_everywhere = Sign out everywhere
user_disable = Disable
user_disable_hint = Signs out everywhere and refuses new sign-ins.
user_enable = Enable
user_is_you = You
user_roles_hint = Separate them with spaces; admin may run the authority. New roles sign the user out everywhere.
user_roles_set = Replace roles
user_policy = Rules for logins
user_policy_hint = They hold from the next sign-in on, beside those of the authority and the app: the strictest counts.
user_idle = Idle timeout, in seconds
user_absolute = Absolute timeout, in seconds
user_policy_set = Set rules
bad_role = This cannot be a role: 1 to 64 characters, lower-case letters, digits, hyphen, underscore, full stop or colon.
bad_own_role = You cannot take the role admin from yourself.
bad_idle = The idle timeout has to be a whole number of seconds, from 1 up to the absolute timeout.
bad_absolute = The absolute timeout has to be a whole number of seconds, from 1 up to 34,560,000 (400 days).

cut_title = Ended, and the guards know
cut_position = Cut-off at position { $position }.
cut_slowest = until the slowest guard had applied it
cut_from_acknowledgement = Measured by the authority, from its acknowledgement to each guard's report.
cut_all_applied = { $count ->
    [one] The { $count } guard that follows has applied it.
   *[other] All { $count } guards that follow have applied it.
}
cut_some_missing = { $count ->
    [one] { $count } guard has not reported yet. Without news it stops saying yes once its freshness bound has passed.
   *[other] { $count } guards have not reported yet. Without news they stop saying yes once their freshness bound has passed.
}
cut_no_guards = No guard follows the feed at the moment.
cut_guard = Guard
cut_applied_after = Applied after
cut_not_yet = not yet
cut_milliseconds = { $time } ms
