import sys

from flask import Flask, request

app = Flask(__name__)
_tenant = ""


def use(tenant: str) -> None:
    global _tenant
    _tenant = tenant  # leak: global-rebind


@app.get("/tenant")
def tenant() -> str:
    use(request.args["tenant"])
    return label()


def label() -> str:
    return _tenant


if __name__ == "__main__":
    use(sys.argv[1])
    app.run()
