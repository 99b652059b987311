# 이 앱에는 세션인가, JWT인가?
adviser_title = 세션인가, JWT인가?
adviser_intro = 만들려는 앱에 대해 아는 것만 고르세요. 비워 두면 모르는 것으로 보고, 그것도 하나의 답입니다. 답은 이 페이지의 주소에 남으므로 그대로 공유할 수 있습니다. 서버에는 아무것도 저장하지 않습니다.
adviser_unknown = 모름
adviser_submit = 추천 받기
adviser_bad_answer = { $name }: 쓸 수 없는 답입니다. 가능한 답: { $allowed }
adviser_bad_fact = { $name }: 그런 항목은 없습니다.
adviser_contradictions = 서로 어긋나는 답
adviser_because = 까닭
adviser_against = 가장 강한 반론
adviser_flips = 판단이 바뀌는 조건
adviser_no_flips = 작은 변화로는 바뀌지 않습니다.
adviser_flip = 다음과 같다면 { $dial }: { $to }
adviser_change = { $fact } = { $to } (지금은 { $from })
adviser_price = 비용
adviser_chart = 비용과 최신성. 같은 숫자가 아래 표에 있습니다.
adviser_option = 방식
adviser_reads = 읽기/초
adviser_writes = 쓰기/초
adviser_questions = 질문/초
adviser_tokens = 토큰/초
adviser_cores = 코어
adviser_memory = 메모리
adviser_network = 네트워크/초
adviser_bytes = 바이트/요청
adviser_window = 끝난 로그인이 통하는 시간
adviser_chosen = 추천
adviser_assumed = 가정: { $fact } = { $value } ({ $why })
adviser_formulas = 계산식
adviser_settings = 설정
adviser_example = 예제: { $framework }
