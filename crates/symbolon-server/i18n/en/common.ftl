# Every page, and values that several pages show.
skip_to_content = Skip to the content
language_label = Language
nav_label = Parts of the site
nav_account = My devices
nav_users = Users
nav_adviser = Adviser
nav_apps = Apps
sign_in = Sign in
sign_out = Sign out
signed_in_as = Signed in as { $name }
footer_line = Symbolon: one login, kept once, ended everywhere.
reveal_password = Show password
hide_password = Hide password
copy = Copy
copied = Copied
optional = (optional)

shape_session = Session
shape_jwt = JWT
role_admin = Administrator
unknown_device = Unknown device
days = { $count ->
    [one] { $count } day
   *[other] { $count } days
}
hours = { $count ->
    [one] { $count } hour
   *[other] { $count } hours
}
minutes = { $count ->
    [one] { $count } minute
   *[other] { $count } minutes
}
seconds = { $count ->
    [one] { $count } second
   *[other] { $count } seconds
}
milliseconds = { $count } ms
limit = Logins at once, for each person
limit_none = no limit of its own
limit_value = { $count } at most; one more: { $rule }
limit_at = One login more
limit_at_refuse = is refused
limit_at_end_oldest = ends the oldest
limit_at_ask = asks which one to end
limit_set = Set
limit_hint = Leave it empty for no limit of its own.
bad_limit = The number of logins has to be a whole number from 1 on.

notice_signed_out = You are signed out.
notice_signed_out_everywhere = You are signed out on every device.
notice_set_up_done = The administrator is ready. Sign in now.
notice_login_ended = That device is signed out.
notice_login_gone = That login had ended already.
notice_user_added = The user has been added.
notice_user_disabled = The user is disabled and signed out everywhere.
notice_user_enabled = The user may sign in again.
notice_shape_changed = { $app } now uses: { $shape }.
notice_nobody_signs_in_again = Nobody has to sign in again.
notice_freshness_changed = Freshness of { $app } is now: { $freshness }.
notice_limit_changed = Logins at once in { $app }: { $limit }.
notice_roles_changed = The roles are replaced, and the user is signed out everywhere.
notice_policy_changed = The rules are set. They hold from the next sign-in on.
