# 로그인과 첫 설정.
sign_in_to = { $app } 앱에 로그인
tagline = 로그인은 하나, 증명 방식은 둘.
tagline_end = 한 번 끝내면 어디에서나 거절합니다.
identifier = 아이디 또는 이메일
password = 비밀번호
prove_again = 계속하려면 본인임을 한 번 더 확인해 주세요. 확인하면 이 기기에서 새로 로그인됩니다.
prove_again_for = { $app } 앱에서 본인 확인을 한 번 더 요청했습니다. 확인하면 이 기기에서 새로 로그인됩니다.
wrong_credentials = 아이디 또는 비밀번호가 올바르지 않습니다.
keep_signed_in = 이 기기에서 로그인 유지
full_title = 더 로그인할 수 없습니다
full_choose = 로그인할 수 있는 기기 수를 모두 썼습니다. 로그아웃할 기기를 고르세요.
full_choose_app = { $app } 앱에 로그인할 수 있는 기기 수를 모두 썼습니다. 로그아웃할 기기를 고르세요.
full_refused = 로그인할 수 있는 기기 수를 모두 썼습니다. 먼저 다른 기기에서 로그아웃하세요.
full_refused_app = { $app } 앱에 로그인할 수 있는 기기 수를 모두 썼습니다. 먼저 다른 기기에서 로그아웃하세요.
full_legend = 로그아웃할 기기 (최근 로그인 순)
full_password = 비밀번호 다시 입력
full_submit = 고른 기기에서 로그아웃하고 계속

set_up_title = 첫 관리자 만들기
set_up_intro = 이 링크는 한 번만 쓸 수 있습니다. 아이디와 비밀번호를 정하세요.
set_up_submit = 관리자 만들기
set_up_refused_title = 쓸 수 없는 링크입니다
set_up_refused = 이미 썼거나, 만료됐거나, 관리자가 이미 있습니다. 관리자가 없으면 인증 서버를 시작할 때마다 새 링크를 출력합니다.
set_up_taken = 이미 있는 아이디입니다. 이 링크는 더 쓸 수 없습니다. 인증 서버를 다시 시작해 새 링크를 받으세요.
