# Pages that say no.
refusal_home = To the start
refusal_bad_request_title = That request makes no sense here
refusal_bad_request = Go back, reload the page and try again. If your browser keeps two sign-in cookies of the same name for this site, delete them.
refusal_not_admin_title = For administrators only
refusal_not_admin = You are signed in, but without the role for this page.
refusal_cross_site_title = Refused for your safety
refusal_cross_site = The request does not seem to come from a page of this site. Go back, reload the page and try again.
refusal_not_found_title = There is nothing here
refusal_not_found = The address is wrong, or what was here is gone.
refusal_too_large_title = That is too much
refusal_too_large = The form holds more than this page takes.
refusal_too_many_title = Too many attempts
refusal_too_many = { $count ->
    [one] Try again in { $count } minute.
   *[other] Try again in { $count } minutes.
}
refusal_unavailable_title = Not at this moment
refusal_unavailable = The authority is busy or cannot reach its store. You are not signed out. Try again in a few seconds.
refusal_internal_title = That was our fault
refusal_internal = Something went wrong in the authority. Its log says what.
refusal_oauth_title = The app's request cannot be answered
refusal_oauth = An app sent you here with a request that is not in order. You have done nothing wrong. This is for the app's developer:
refusal_oauth_code = Error
refusal_oauth_description = Description
