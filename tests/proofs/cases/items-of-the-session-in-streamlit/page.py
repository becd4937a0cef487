import streamlit as st
from turns import rest

import app

line = st.text_input("line")
if line:
    app.say(line)
    app.diary().keep(line)
rest()
if line == "clear":
    app.diary().forget()
st.write(app.shown())
for kept in app.diary().lines:
    st.write(f"{app.diary().title}: {kept}")
