# Session or JWT, for this application?
adviser_title = Session or JWT?
adviser_intro = Say what you know of your application; what you leave out is unknown, which is an answer, too. The address of this page keeps your answers, so you can share it. Nothing is stored.
adviser_unknown = unknown
adviser_submit = Advise
adviser_bad_answer = { $name }: this is not an answer. Allowed: { $allowed }
adviser_bad_fact = { $name }: there is no such fact.
adviser_contradictions = These answers contradict each other
adviser_because = Because
adviser_against = The strongest argument against it
adviser_flips = What would change this
adviser_no_flips = Nothing that is small.
adviser_flip = { $dial } would be { $to } with
adviser_change = { $fact } = { $to } (now { $from })
adviser_price = The price
adviser_chart = Cost against freshness. The table below has the same numbers.
adviser_option = Option
adviser_reads = Reads/s
adviser_writes = Writes/s
adviser_questions = Questions/s
adviser_tokens = Tokens/s
adviser_cores = Cores
adviser_memory = Memory
adviser_network = Network/s
adviser_bytes = Bytes/request
adviser_window = An ended login works for
adviser_chosen = recommended
adviser_assumed = Assumed: { $fact } = { $value } ({ $why })
adviser_formulas = Formulas
adviser_settings = To set it
adviser_example = Example: { $framework }
