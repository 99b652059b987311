# 로그인과 첫 설정.
sign_in_to = { $app } 앱에 로그인
tagline = 로그인은 하나, 증명 방식은 둘.
tagline_end = 한 번 끝내면 어디에서나 거절합니다.
identifier = 아이디 또는 이메일
password = 비밀번호
wrong_credentials = 아이디 또는 비밀번호가 올바르지 않습니다.

set_up_title = 첫 관리자 만들기
set_up_intro = 이 링크는 한 번만 쓸 수 있습니다. 아이디와 비밀번호를 정하세요.
set_up_submit = 관리자 만들기
set_up_refused_title = 쓸 수 없는 링크입니다
set_up_refused = 이미 썼거나, 만료됐거나, 관리자가 이미 있습니다. 관리자가 없으면 인증 서버를 시작할 때마다 새 링크를 출력합니다.
set_up_taken = 이미 있는 아이디입니다. 이 링크는 더 쓸 수 없습니다. 인증 서버를 다시 시작해 새 링크를 받으세요.
