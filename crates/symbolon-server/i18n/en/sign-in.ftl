# Sign-in, set-up.
sign_in_to = Sign in to { $app }
tagline = One login. Two kinds of proof.
tagline_end = End it once, and it is refused everywhere.
identifier = User name or e-mail
password = Password
prove_again = To go on, prove once more that it is you. This device is then signed in anew.
prove_again_for = { $app } asks you to prove once more that it is you. This device is then signed in anew.
wrong_credentials = The name or the password is wrong.
keep_signed_in = Keep me signed in on this device
full_title = No room for one more sign-in
full_choose = You are signed in on as many devices as you may be. Choose which ones to sign out.
full_choose_app = You use { $app } on as many devices as you may. Choose which ones to sign out.
full_refused = You are signed in on as many devices as you may be. Sign out on one of them first.
full_refused_app = You use { $app } on as many devices as you may. Sign out on one of them first.
full_legend = Devices to sign out, the newest first
full_password = Password, once more
full_submit = Sign out there and go on

set_up_title = Create the first administrator
set_up_intro = This link works once. Choose a name and a password.
set_up_submit = Create administrator
set_up_refused_title = This link does not work
set_up_refused = It has been used, has expired, or there is an administrator already. While there is none, each start of the authority prints a new link.
set_up_taken = Somebody has that name already, and the link is used up. Start the authority again for a new link.
